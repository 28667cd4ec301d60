"""An optimiser of somebody else's, which calls our functions, as an iterator that goes on when it is asked to.

It runs in a thread of its own, and what it asks for is computed where the iterator is advanced. So the two
never run at once, and what our functions raise is raised there.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from queue import SimpleQueue
from threading import Thread
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Ask(Protocol):
    """Has a function called where the iterator is advanced; gives what it gives."""

    def __call__(self, question: Callable[[], T]) -> T: ...


class _Closed(Exception):
    """Ends the thread: nobody asks for what comes next."""


def inverted(search: Callable[[Ask, Callable[[T], None]], object], name: str) -> Generator[T]:
    """What `search(ask, reached)` gives to `reached`, one by one, until it returns.

    Raises what it raises, and what the questions raise that it asks. `name` is that of its thread.
    """
    asked: SimpleQueue[tuple[str, Any]] = SimpleQueue()
    answers: SimpleQueue[tuple[Any] | None] = SimpleQueue()

    def wait_for(kind: str, thing: Any) -> Any:
        asked.put((kind, thing))
        answer = answers.get()
        if answer is None:
            raise _Closed
        return answer[0]

    def run() -> None:
        try:
            search(
                lambda question: wait_for("question", question),
                lambda point: wait_for("reached", point),
            )
            asked.put(("ended", None))
        except Exception as error:
            asked.put(("ended", error))

    Thread(target=run, name=name, daemon=True).start()
    try:
        while True:
            kind, thing = asked.get()
            if kind == "question":
                answers.put((thing(),))
            elif kind == "reached":
                yield thing
                answers.put((None,))
            elif thing is not None:
                raise thing
            else:
                return
    finally:
        answers.put(None)
