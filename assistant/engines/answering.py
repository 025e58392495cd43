"""One answer on its way: the engine's pieces, cut at stop sequences and told apart, with how likely its tokens were.

It knows engines and no LangChain; `langchain_chunks` makes messages of it.
"""

import threading
from collections import deque
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass

from assistant.engines.base import Engine, SamplingParams, TextEngine
from assistant.engines.pieces import Piece, TokenLogprob
from assistant.engines.replies import Part, ReplyReader
from assistant.engines.shapes import ToolUse
from assistant.engines.stops import Returning, Stopped, cut_at_stops
from assistant.errors import EngineError
from tuning.data.examples import Message
from tuning.models.stream_end import StreamEnd

Step = tuple[Part, Sequence[TokenLogprob]]


@dataclass(frozen=True)
class Answering:
    """What is asked, and how the answer is to be read."""

    engine: Engine
    messages: Sequence[Message]
    params: SamplingParams
    checkpoint: str | None
    stops: Sequence[str] = ()
    splits_reasoning: bool = True
    # Seconds that it may take; None for as long as it takes.
    timeout: float | None = None

    def steps(self, cancel: threading.Event | None = None) -> Generator[Step, None, StreamEnd]:
        """The parts of the answer as they come, and how it ended. Raises EngineError.

        The engine's stream is closed at the end, and wherever the consumer leaves: an engine may serve one stream at
        a time.
        """
        cancel = cancel or threading.Event()
        shape = self.params.shape
        tools = [tool.name for tool in shape.tools] if isinstance(shape, ToolUse) else []
        reader = ReplyReader(thoughts=self.splits_reasoning, tools=tools)
        likelihoods, text = Likelihoods(), ""
        stream = self.engine.stream(self.messages, self.params, checkpoint=self.checkpoint, stop=cancel)
        with closing(stream), _Timer(self.timeout, cancel):
            pieces = Returning(cut_at_stops(likelihoods.noted(stream), self.stops))
            for piece in pieces:
                text += piece
                for part in reader.push(piece):
                    yield part, likelihoods.up_to(len(text))
            for part in reader.flush():
                yield part, likelihoods.up_to(len(text))
        return _ended(pieces.returned, self.engine, text)


def continued(
    engine: TextEngine,
    text: str,
    params: SamplingParams,
    checkpoint: str | None,
    stops: Sequence[str],
    cancel: threading.Event,
) -> Generator[tuple[str, Sequence[TokenLogprob]], None, StreamEnd]:
    """What follows a bare text, in pieces with their tokens, and how it ended. Raises EngineError."""
    likelihoods, written = Likelihoods(), ""
    with closing(engine.continue_text(text, params, checkpoint=checkpoint, stop=cancel)) as stream:
        pieces = Returning(cut_at_stops(likelihoods.noted(stream), stops))
        for piece in pieces:
            written += piece
            yield piece, likelihoods.up_to(len(written))
    return _ended(pieces.returned, engine, written)


def _ended(end: StreamEnd | Stopped, engine: Engine, text: str) -> StreamEnd:
    """How the answer ended; after a stop sequence nobody else has counted its tokens."""
    if isinstance(end, StreamEnd):
        return end
    return StreamEnd("stop", engine.count_text(text), end.stop)


class Likelihoods:
    """The tokens of pieces, until the text that they wrote is handed out."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, TokenLogprob]] = deque()
        self._read = 0

    def noted(self, pieces: Generator[str, None, StreamEnd]) -> Generator[str, None, StreamEnd]:
        """The same pieces."""
        source = Returning(pieces)
        for piece in source:
            if isinstance(piece, Piece):
                self._waiting.extend((self._read, token) for token in piece.tokens)
            self._read += len(piece)
            yield piece
        return source.returned

    def up_to(self, length: int) -> list[TokenLogprob]:
        """The tokens that begin within so many characters, and were not handed out before."""
        ready = []
        while self._waiting and self._waiting[0][0] < length:
            ready.append(self._waiting.popleft()[1])
        return ready


class _Timer:
    """Sets `cancel` after so many seconds, and says so when it is left."""

    def __init__(self, seconds: float | None, cancel: threading.Event) -> None:
        self._seconds, self._cancel = seconds, cancel
        self._is_over = False
        self._timer = None if seconds is None else threading.Timer(seconds, self._end)

    def __enter__(self) -> None:
        if self._timer is not None:
            self._timer.start()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._is_over and kind is None:
            raise EngineError(
                f"The answer took longer than {self._seconds:g} seconds. Raise the timeout, or ask for fewer tokens."
            )

    def _end(self) -> None:
        self._is_over = True
        self._cancel.set()
