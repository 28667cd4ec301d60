"""What a diagram cannot be, told with the line that asked for it."""

from __future__ import annotations

import sys
from pathlib import Path

from ..errors import SceneError

_HERE = str(Path(__file__).parent)


class DiagramError(SceneError, ValueError):
    """A diagram that cannot be: what was asked for, where, and what to do."""


def asked_at() -> str:
    """FILE:LINE of the line outside this package that is being run."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_HERE):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
