"""Greedy answers to many prompts, for engines that write several streams at once by themselves."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from assistant.engines.base import Engine, SamplingParams
from tuning.data.examples import Message


def complete_by_streams(
    engine: Engine,
    batch: Sequence[Sequence[Message]],
    checkpoint: str | None,
    params: SamplingParams,
    at_once: int,
) -> list[str]:
    """As `Engine.complete`, with so many of the engine's streams at once. Raises what they raise."""

    def answer(messages: Sequence[Message]) -> str:
        return "".join(engine.stream(messages, params, checkpoint=checkpoint))

    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(answer, batch))
