"""Ten clients of one server at once, and how long each waits: python -m benchmarks.many_clients HOME [--clients N].

Each streams an answer through OpenAI's own client; then one asks alone, for comparison. The server runs in a process of
its own (`imprint serve`).
"""

import argparse
import statistics
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import openai

from benchmarks.decoding_others import served_at

QUESTIONS = (
    "the sea",
    "a mountain",
    "an old house",
    "a train",
    "a garden",
    "a king",
    "winter",
    "a dog",
    "a bridge",
    "tea",
)


@dataclass(frozen=True)
class Waited:
    """Seconds until the first token of an answer, and until its last."""

    first: float
    last: float


def main() -> None:
    """Print a line for each client, and the middle of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--clients", type=int, default=10)
    parser.add_argument("--tokens", type=int, default=32)
    options = parser.parse_args()
    with served_at(options.home, "smollm2-135m-instruct") as address:
        ask(address, "the weather", 4)  # the first request opens what is needed
        alone = ask(address, "a river", options.tokens)
        waited = at_once(address, options.clients, options.tokens)
    print(f"alone: first token after {alone.first:.2f} s, last after {alone.last:.2f} s")
    for number, one in enumerate(sorted(waited, key=lambda one: one.first), 1):
        print(f"client {number}: first token after {one.first:.2f} s, last after {one.last:.2f} s")
    print(
        f"median of {len(waited)} at once: first token after {statistics.median(one.first for one in waited):.2f} s"
    )


def ask(address: str, about: str, tokens: int) -> Waited:
    """One streamed answer."""
    client = openai.OpenAI(base_url=f"{address}/v1", api_key="any", max_retries=0)
    began, first = time.monotonic(), 0.0
    messages = [{"role": "user", "content": f"Write a long story about {about}."}]
    for chunk in client.chat.completions.create(model="", messages=messages, max_tokens=tokens, stream=True):  # type: ignore[call-overload]
        if not first and chunk.choices and chunk.choices[0].delta.content:
            first = time.monotonic() - began
    return Waited(first, time.monotonic() - began)


def at_once(address: str, clients: int, tokens: int) -> list[Waited]:
    """So many answers at the same time."""
    waited: list[Waited] = []
    threads = [
        threading.Thread(target=lambda about=about: waited.append(ask(address, about, tokens)))  # type: ignore[misc]
        for about in (QUESTIONS * clients)[:clients]
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return waited


if __name__ == "__main__":
    main()
