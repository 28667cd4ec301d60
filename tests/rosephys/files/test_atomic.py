"""A file is whole or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from rosephys.files.atomic import replacing


def test_a_file_appears_at_the_end(tmp_path: Path) -> None:
    with replacing(tmp_path / "film.gif") as beside:
        beside.write_bytes(b"half")
        assert beside.suffix == ".gif" and not (tmp_path / "film.gif").exists()
        beside.write_bytes(b"whole")
    assert [p.name for p in tmp_path.iterdir()] == ["film.gif"]
    assert (tmp_path / "film.gif").read_bytes() == b"whole"


@pytest.mark.parametrize("fault", [KeyboardInterrupt, OSError, SystemExit])
def test_an_old_file_stays_where_a_new_one_fails(
    tmp_path: Path, fault: type[BaseException]
) -> None:
    (tmp_path / "film.gif").write_bytes(b"old")
    with pytest.raises(fault), replacing(tmp_path / "film.gif") as beside:
        beside.write_bytes(b"half")
        raise fault
    assert [p.name for p in tmp_path.iterdir()] == ["film.gif"]
    assert (tmp_path / "film.gif").read_bytes() == b"old"
