"""Fields from files: arrays of numpy's and rows of text, and what is said of files of another kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rosephys import SceneError
from rosephys.scene.stored import numbers_in

TEXTS = [
    "1,2\n3,4\n",
    "1 2\n3 4",
    "x,y\n1,2\n3,4\n",
    "1;2\n\n3;4\n",
    "1.0 , 2e0\n3.,4",
    "\ufeff1\t2\n3\t4\n",
]
NOT = [
    ("a.csv", b"", "has no numbers in it"),
    ("a.csv", b"x,y\n1,2\n3,b\n", "a.csv:3 has no number where one is wanted: '3,b'"),
    ("a.csv", b"1,2\n3\n", "a.csv:2 has 1 numbers, the first row 2"),
    ("a.txt", b"\xff\xfe\x00", "is no text"),
    ("a.npy", b"hello", "holds no array of numbers"),
    ("a.npz", b"", "has several arrays; --load takes it"),
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("suffix", [".csv", ".txt", ".CSV"])
def test_rows_of_text(text: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"rows{suffix}"
    path.write_text(text, encoding="utf-8")
    np.testing.assert_array_equal(numbers_in(str(path)), [[1, 2], [3, 4]])


@pytest.mark.parametrize(("name", "content", "said"), NOT)
def test_what_is_no_array_is_said_to_be_none(
    name: str, content: bytes, said: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SceneError) as caught:
        numbers_in(str(tmp_path / name))
    assert said in str(caught.value)


def test_an_array_of_objects_and_a_file_that_is_not_there(tmp_path: Path) -> None:
    np.save(tmp_path / "objects.npy", np.array([None, 1]), allow_pickle=True)
    with pytest.raises(SceneError, match="holds no array of numbers"):
        numbers_in(str(tmp_path / "objects.npy"))
    with pytest.raises(SceneError, match=r"none\.npy cannot be read: no such file"):
        numbers_in(str(tmp_path / "none.npy"))
