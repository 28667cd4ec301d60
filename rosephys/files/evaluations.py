"""Every evaluation of a solve, in a file as it is made, so that one that was killed goes on where it was.

A solver asks the same questions again when it begins again, for it is told the same: what was answered before
is read, the rest computed. So any solver can be resumed, and comes to the same bits. The file begins with
MAGIC; then comes record after record: its length and its CRC-32, 16 bytes that say what was asked, and the
answer, float64. A record that is torn or damaged ends the file.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Mapping
from errno import ENOSPC
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import SceneError
from ..scene.scene import Scene
from ..solve.ensemble import Ensemble
from ..solve.problem import Arrays, Problem, Values

Floats = NDArray[np.float64]

MAGIC = b"rosephys evaluations 1\n"
HEAD = struct.Struct("<II")
KEY = 16  # bytes


class Evaluations:
    """The file at `path`, which is made where there is none. Raises OSError where it cannot be, SceneError
    where it is another kind of file."""

    def __init__(self, path: Path) -> None:
        self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b", buffering=0)
        self._path, self._reading = path, True
        found = self._file.read(len(MAGIC))
        if found != MAGIC[: len(found)]:
            self._file.close()
            raise SceneError(
                f"{path} is no record of evaluations, or one of another version: without that file the run goes"
                " on, and computes them again"
            )
        if len(found) < len(MAGIC):
            self._go_on_from(0, MAGIC)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def known(self, key: bytes) -> Floats | None:
        """The next answer that was recorded, if it is to this question; where it is not, what was recorded from
        there on is dropped."""
        if not self._reading:
            return None
        place = self._file.tell()
        head = self._file.read(HEAD.size)
        if len(head) == HEAD.size:
            size, checksum = HEAD.unpack(head)
            record = self._file.read(size)
            whole = len(record) == size >= KEY and zlib.crc32(record) == checksum
            if whole and record[:KEY] == key:
                return np.frombuffer(record, "<f8", offset=KEY).astype(np.float64)
        self._go_on_from(place, b"")
        return None

    def add(self, key: bytes, answer: Floats) -> None:
        """Record an answer."""
        record = key + np.asarray(answer, "<f8").tobytes()
        self._write(HEAD.pack(len(record), zlib.crc32(record)) + record)

    def _go_on_from(self, place: int, begin: bytes) -> None:
        self._reading = False
        self._file.truncate(place)
        self._file.seek(place)
        self._write(begin)

    def _write(self, data: bytes) -> None:
        place = self._file.tell()
        try:
            whole = self._file.write(data) == len(data)
        except OSError as error:
            raise OSError(error.errno, os.strerror(error.errno or 0), str(self._path)) from error
        if not whole:
            self._file.truncate(place)
            self._file.seek(place)
            raise OSError(ENOSPC, os.strerror(ENOSPC), str(self._path))


class Recorded(Problem):
    """A problem whose losses and gradients are answered from a file as far as it goes, and recorded there."""

    def __init__(self, scene: Scene, *ensemble: Any, **how: Any) -> None:
        super().__init__(scene, *ensemble, **how)
        self.evaluations: Evaluations | None = None

    def value_and_gradient(self, values: Values) -> tuple[float, Arrays]:
        """As `Problem` has it."""
        if self.evaluations is None:
            return super().value_and_gradient(values)
        whole = self.complete(values)
        key = _key(whole, {})
        answer = self.evaluations.known(key)
        if answer is None:
            loss, gradient = super().value_and_gradient(whole)
            parts = [np.ravel(gradient[n]) for n in self.controls]
            self.evaluations.add(key, np.concatenate([[loss], *parts]))
            return loss, gradient
        shapes = [whole[n].shape for n in self.controls]
        ends = 1 + np.cumsum([whole[n].size for n in self.controls], dtype=int)
        parts = np.split(answer, [1, *ends[:-1]])[1:] if self.controls else []
        named = zip(self.controls, parts, shapes, strict=True)
        return float(answer[0]), {n: part.reshape(shape) for n, part, shape in named}

    def losses(self, values: Values, batch: Values) -> NDArray[Any]:
        """As `Problem` has it."""
        if self.evaluations is None:
            return super().losses(values, batch)
        key = _key(self.complete(values), batch)
        answer = self.evaluations.known(key)
        if answer is None:
            answer = super().losses(values, batch)
            self.evaluations.add(key, answer)
        return answer


class RecordedEnsemble(Recorded, Ensemble):
    """The same of an ensemble."""


def _key(*several: Mapping[str, Any]) -> bytes:
    """What says of values by name which they are."""
    digest = blake2b(digest_size=KEY)
    for values in several:
        for name in sorted(values):
            value = np.ascontiguousarray(values[name], float)
            digest.update(f"{name} {value.shape} ".encode())
            digest.update(value.tobytes())
        digest.update(b";")
    return digest.digest()
