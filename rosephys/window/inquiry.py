"""Questions worked out beside the window, a little of each in turn, in one thread of their own."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from rosephys.errors import describe
from rosephys.window.background import Background


@dataclass(frozen=True)
class Failure:
    """What was raised while a question was worked out, in words for people."""

    words: str


Question = Generator[Any, None, Any]
"""Yields None, or an answer so far; returns the last answer, or None for no more."""


class Inquiry:
    """The questions that are open, by name, and what has been found."""

    def __init__(self) -> None:
        self.open: set[str] = set()
        self._turns: deque[tuple[str, Question]] = deque()
        self._background: Background[list[tuple[str, Any]]] = Background()

    def ask(self, name: str, question: Question) -> None:
        """Work this out as well; none of the same name may be open."""
        self.open.add(name)
        self._turns.append((name, question))
        self._background.ask(_Turns(self._turns), float("inf"))

    def take(self) -> list[tuple[str, Any]]:
        """The answers since the last call, by the names of their questions; does not wait."""
        answers = []
        for name, answer in (found for results in self._background.take() for found in results):
            if answer is _END:
                self.open.discard(name)
            else:
                answers.append((name, answer))
        return answers

    def undisturbed(self) -> AbstractContextManager[None]:
        """A `with` in which nothing begins, so that drawing is not disturbed."""
        return self._background.undisturbed()

    def settle(self, seconds: float) -> bool:
        """Wait until all is answered; False if that takes longer."""
        return self._background.settle(seconds)

    def close(self) -> None:
        """Give up, after the step that is being made."""
        self._background.close()


_END = object()  # follows the last answer to a question


class _Turns:
    """Work that lets each question make a step in turn; see `background.Work`."""

    least = 1

    def __init__(self, turns: deque[tuple[str, Question]]) -> None:
        self._turns = turns
        self._found: list[tuple[str, Any]] = []

    def step(self) -> bool:
        if not self._turns:
            return False
        name, question = self._turns.popleft()
        ended = False
        try:
            answer = next(question)
        except StopIteration as stop:
            answer, ended = stop.value, True
        except (Exception, SystemExit) as error:  # a scene's own code runs here
            answer, ended = Failure(describe(error)), True
        if answer is not None:
            self._found.append((name, answer))
        if ended:
            self._found.append((name, _END))
        else:
            self._turns.append((name, question))
        return bool(self._turns)

    def result(self) -> list[tuple[str, Any]]:
        found, self._found = self._found, []
        return found
