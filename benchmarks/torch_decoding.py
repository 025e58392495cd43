"""What a token costs in torch's engine: python -m benchmarks.torch_decoding HOME [--base NAME] [--prefix POSITIONS].

Computing time and not waiting time, so that it can be told on a busy machine: transformers' `generate`, the modules
called token by token, and the engine as it answers, in turn in one process, one chat, greedy, behind a prefix of
so many positions (0: none).
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import DynamicCache

from tuning.models import decoding
from tuning.models.base_model import BaseModel

QUESTION = [{"role": "user", "content": "Write a long story about the sea."}]
ROUNDS = 3


def main() -> None:
    """Print milliseconds of computing time a token, and the answers' first difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--base", default="smollm2-135m-instruct")
    parser.add_argument("--prefix", type=int, default=0)
    parser.add_argument("--tokens", type=int, default=32)
    options = parser.parse_args()
    base = BaseModel.open(options.base, options.home, device="cpu")
    ids = base.chat_ids(QUESTION, add_generation_prompt=True)

    def cache() -> DynamicCache:
        filled = DynamicCache(config=base.model.config)
        if options.prefix:
            decoding.step(base.model, (ids * options.prefix)[: options.prefix], filled)
        return filled

    ways: dict[str, Callable[[DynamicCache], list[int]]] = {
        "transformers' generate": lambda held: generated(base, ids, held, options.tokens),
        "the modules, token by token": lambda held: by_modules(base, ids, held, options.tokens),
        "torch's engine": lambda held: by_reader(base, ids, held, options.tokens),
    }
    found: dict[str, list[float]] = {name: [] for name in ways}
    said: dict[str, list[int]] = {}
    for number in range(ROUNDS + 1):  # the first warms up
        for name, way in ways.items():
            held = cache()
            began = time.process_time()
            said[name] = way(held)
            if number:
                found[name].append(1000 * (time.process_time() - began) / options.tokens)
    slowest = statistics.median(found["transformers' generate"])
    print(
        f"| {base.name}, prefix {options.prefix}, {torch.get_num_threads()} threads | ms a token | times as fast |"
    )
    print("|---|---|---|")
    for name, each in found.items():
        middle = statistics.median(each)
        print(f"| {name} | {middle:.1f} ({min(each):.1f}–{max(each):.1f}) | {slowest / middle:.1f} |")
    first, *_, last = said.values()
    print(f"\nThe same tokens: {first == last}")


def generated(base: BaseModel, ids: list[int], held: DynamicCache, tokens: int) -> list[int]:
    """By transformers."""
    model: Any = base.model
    before = held.get_seq_length()
    given = torch.tensor([[*[0] * before, *ids]])
    options = {"max_new_tokens": tokens, "min_new_tokens": tokens, "do_sample": False}
    out = model.generate(given, attention_mask=torch.ones_like(given), past_key_values=held, **options)
    return [int(token) for token in out[0][before + len(ids) :]]


@torch.inference_mode()
def by_modules(base: BaseModel, ids: list[int], held: DynamicCache, tokens: int) -> list[int]:
    """By calling the model, with nothing around it."""
    model: Any = base.model
    out: list[int] = []
    while len(out) < tokens:
        given = torch.tensor([out[-1:] or ids])
        logits = model(input_ids=given, past_key_values=held, use_cache=True, logits_to_keep=1).logits
        out.append(int(logits[0, -1].argmax()))
    return out


def by_reader(base: BaseModel, ids: list[int], held: DynamicCache, tokens: int) -> list[int]:
    """As `BaseModel.generate` reads."""
    reader, out = decoding.Reader(base.model, held), list[int]()
    while len(out) < tokens:
        out.append(int(reader.read(out[-1:] or ids).argmax()))
    return out


if __name__ == "__main__":
    main()
