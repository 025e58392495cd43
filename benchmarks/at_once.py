"""Four answers written at once beside the same four in turn: python -m benchmarks.at_once HOME CHECKPOINT.

Base and checkpoint answer two questions each, greedily, with the same number of tokens either way.
"""

import argparse
import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path

from assistant.engines.base import Engine, SamplingParams
from assistant.settings import Settings
from assistant.workspace import Workspace

QUESTIONS = ("Write a story about a lighthouse.", "Explain how a sail boat moves against the wind.")
TOKENS = 64


def main() -> None:
    """Print seconds a round, and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("checkpoint")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    opened = Workspace(Settings(home=options.home))
    engine, together = opened.engine(), opened.batched_engine()
    requests = [(text, name) for text in QUESTIONS for name in (None, options.checkpoint)]
    engine.prompt_capacity(options.checkpoint)
    ways: dict[str, Callable[[], int]] = {
        "in turn": lambda: sum(_answer(engine, *request) for request in requests),
        "at once": lambda: _at_once(together, requests),
    }
    found: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(options.rounds + 1):  # the first round warms up
        for name, way in ways.items():
            began = time.monotonic()
            characters = way()
            seconds = time.monotonic() - began
            if number:
                found[name].append(seconds)
            print(f"round {number}, {name}: {seconds:.2f} s, {characters} characters", flush=True)
    medians = {name: statistics.median(values) for name, values in found.items()}
    print(f"medians: {medians}; at once is {medians['in turn'] / medians['at once']:.2f} times as fast")
    opened.close()


def _answer(engine: Engine, text: str, checkpoint: str | None) -> int:
    message = {"role": "user", "content": text}
    return len("".join(engine.stream([message], SamplingParams(TOKENS), checkpoint=checkpoint)))


def _at_once(engine: Engine, requests: list[tuple[str, str | None]]) -> int:
    lengths: list[int] = []
    threads = [
        threading.Thread(target=lambda request=request: lengths.append(_answer(engine, *request)))
        for request in requests
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(lengths)


if __name__ == "__main__":
    main()
