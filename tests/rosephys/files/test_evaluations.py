"""What a solver was told is read again, as far as the file is whole; a damaged end is cut off."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rosephys import Problem, SceneError
from rosephys.files.evaluations import HEAD, MAGIC, Evaluations, Recorded
from tests.support.control import Cart
from tests.support.scenes import Lob

KEYS = [bytes([k]) * 16 for k in range(4)]
ANSWERS = [np.array([1.5, np.nan]), np.zeros(0), np.array([-0.0, np.inf, 1e-300]), np.ones(5)]


def written(path: Path) -> bytes:
    file = Evaluations(path)
    for key, answer in zip(KEYS, ANSWERS, strict=True):
        assert file.known(key) is None
        file.add(key, answer)
    file.close()
    return path.read_bytes()


def test_answers_are_read_as_they_were(tmp_path: Path) -> None:
    data = written(tmp_path / "a.bin")
    assert data.startswith(MAGIC)
    file = Evaluations(tmp_path / "a.bin")
    for key, answer in zip(KEYS, ANSWERS, strict=True):
        known = file.known(key)
        assert known is not None and known.tobytes() == answer.tobytes()
    assert file.known(KEYS[0]) is None
    file.close()
    assert (tmp_path / "a.bin").read_bytes() == data


@settings(deadline=None)
@given(st.data())
def test_a_file_that_is_torn_or_damaged_anywhere_is_completed(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("torn") / "a.bin"
    whole = written(path)
    cut = data.draw(st.integers(0, len(whole)))
    torn = bytearray(whole[:cut])
    if len(torn) > len(MAGIC) and data.draw(st.booleans()):
        torn[data.draw(st.integers(len(MAGIC), len(torn) - 1))] ^= 0x10
    path.write_bytes(torn)
    file = Evaluations(path)
    for key, answer in zip(KEYS, ANSWERS, strict=True):
        known = file.known(key)
        if known is None:
            file.add(key, answer)
        else:
            assert known.tobytes() == answer.tobytes()
    file.close()
    assert path.read_bytes() == whole


def test_another_question_drops_what_was_recorded_from_there_on(tmp_path: Path) -> None:
    written(tmp_path / "a.bin")
    file = Evaluations(tmp_path / "a.bin")
    assert file.known(KEYS[0]) is not None and file.known(KEYS[3]) is None
    file.add(KEYS[3], ANSWERS[3])
    file.close()
    record = HEAD.size + 16 + 16
    size = len(MAGIC) + record + HEAD.size + 16 + 40
    assert (tmp_path / "a.bin").stat().st_size == size


def test_another_kind_of_file_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"PK and more than that, which is no record")
    with pytest.raises(SceneError, match="is no record of evaluations, or one of another version"):
        Evaluations(path)
    assert path.read_bytes().startswith(b"PK")


@pytest.mark.parametrize("scene", [Cart(), Lob()])
def test_a_recorded_problem_answers_as_the_problem_does(scene: Cart | Lob, tmp_path: Path) -> None:
    plain = Problem(scene)
    name = plain.controls[0]
    moved = {name: plain.values[name] + 0.1}
    batch = {name: np.stack([plain.values[name], moved[name]])}
    asked = [{}, moved]
    expected = [plain.value_and_gradient(values) for values in asked]
    for _ in range(2):  # computed, then read
        recorded = Recorded(scene)
        recorded.evaluations = Evaluations(tmp_path / "a.bin")
        for values, (loss, gradient) in zip(asked, expected, strict=True):
            found = recorded.value_and_gradient(values)
            assert found[0] == loss and found[1].keys() == gradient.keys()
            for n, g in gradient.items():
                assert found[1][n].shape == g.shape and (found[1][n] == g).all()
        assert (recorded.losses({}, batch) == plain.losses({}, batch)).all()
        recorded.evaluations.close()
