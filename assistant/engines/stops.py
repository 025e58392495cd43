"""Stop sequences: an answer ends before the first of them, wherever the pieces of the answer break."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from assistant.engines.replies import overlap

Y = TypeVar("Y")
R = TypeVar("R")


class Returning(Generic[Y, R]):
    """Iterates over a generator and keeps what it returned."""

    def __init__(self, generator: Generator[Y, None, R]) -> None:
        self._generator = generator

    def __iter__(self) -> Iterator[Y]:
        self.returned = yield from self._generator


@dataclass(frozen=True)
class Stopped:
    """Where the answer was cut."""

    stop: str


def cut_at_stops(pieces: Generator[str, None, R], stops: Sequence[str]) -> Generator[str, None, R | Stopped]:
    """The pieces up to the first of the stop sequences; what may begin one is held back until that is known.

    Returns what `pieces` returns, or which stop sequence was found.
    """
    held, source = "", Returning(pieces)
    for piece in source:
        held += piece
        if found := [(held.index(stop), stop) for stop in stops if stop in held]:
            place, stop = min(found)
            if place:
                yield held[:place]
            return Stopped(stop)
        keep = max((overlap(held, stop) for stop in stops), default=0)
        ready, held = held[: len(held) - keep], held[len(held) - keep :]
        if ready:
            yield ready
    if held:
        yield held
    return source.returned
