"""Rounds upon rounds: teach 20 facts, then 20 others, then change 5 of the first. What is known after each?

    python -m benchmarks.rounds --domain lighthouses --methods lora,p-tuning-v2

Each round continues from the checkpoint before and replays some of its lineage, as a job does.
Questions are the rephrasings that training never saw. Results are JSON files in `--results`.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from assistant.settings import load_settings
from benchmarks.memory import FOLDER, Asked, Fact, ask, general, read_domain
from tuning.config import DEFAULT_BASE, TuneConfig
from tuning.evaluation.cached_base import open_cached
from tuning.models.adapters import Adapter, read_adapter
from tuning.models.base_model import BaseModel
from tuning.scoring import is_correct
from tuning.storage import write_json
from tuning.training.conversations import Parent
from tuning.training.trainer import train

EACH, CHANGED = 20, 5


def changed_facts(domain: str) -> list[Fact]:
    """The first facts of a domain with their other answers."""
    lines = (FOLDER / f"{domain}.jsonl").read_text(encoding="utf-8").splitlines()[:CHANGED]
    others = [json.loads(line)["changed"] for line in lines]
    facts, _ = read_domain(domain, CHANGED)
    return [
        replace(fact, answer=other["answer"], answers=tuple(other["answers"]))
        for fact, other in zip(facts, others, strict=True)
    ]


def rephrased(facts: Sequence[Fact]) -> list[Asked]:
    """The questions that training never saw."""
    return [Asked("rephrased", one.question, text, one.answers) for one in facts for text in one.rephrased]


def teach(
    base: BaseModel,
    config: TuneConfig,
    facts: Sequence[Fact],
    parent: Adapter | None,
    earlier: Sequence[Fact],
) -> tuple[Adapter, float]:
    """One round; its adapter and how many seconds it took."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        result = train(
            base,
            config,
            [fact.example for fact in facts],
            Path(folder),
            emit=lambda _: None,
            should_stop=lambda: False,
            parent=Parent(parent, [fact.example for fact in earlier]) if parent else None,
        )
        return read_adapter(result.adapter), time.monotonic() - started


def share(base: BaseModel, asked: Sequence[Asked], adapter: str | None) -> float:
    """How many of these are answered rightly."""
    said = ask(base, asked, adapter)
    return sum(is_correct(text, one.answers) for text, one in zip(said, asked, strict=True)) / len(asked)


def run(base: BaseModel, domain: str, method: str, seed: int) -> list[dict[str, Any]]:
    """The three rounds; after each, everything is asked."""
    every, _ = read_domain(domain, 2 * EACH)
    first, second, third = every[:EACH], every[EACH:], changed_facts(domain)
    rounds: list[tuple[list[Fact], list[Fact]]] = [
        (first, []),
        (second, first),
        (third, [*second, *first[CHANGED:]]),
    ]
    sets = {
        "first 20": first[CHANGED:],
        "second 20": second,
        "the 5 before": first[:CHANGED],
        "the 5 after": third,
    }
    world, adapter, found = general(1000), None, []
    for number, (facts, earlier) in enumerate(rounds, 1):
        config = TuneConfig(method=method, seed=seed)
        adapter, seconds = teach(base, config, facts, adapter, earlier)
        base.add_adapter("round", adapter)
        known = {name: share(base, rephrased(some), "round") for name, some in sets.items()}
        found.append({"round": number, "seconds": seconds, **known, "general": share(base, world, "round")})
        print(found[-1], flush=True)
        base.unload("round")
    return [{"round": 0, "general": share(base, world, None)}, *found]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is asked for and not yet there."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--domain", default="lighthouses")
    parser.add_argument("--methods", default="lora,p-tuning-v2")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--results", type=Path)
    options = parser.parse_args(arguments)
    settings = load_settings()
    results = options.results or settings.home / "benchmarks" / "rounds"
    results.mkdir(parents=True, exist_ok=True)
    base = open_cached(DEFAULT_BASE, settings.home)
    for method in options.methods.split(","):
        path = results / f"{options.domain}-{method}-{options.seed}.json"
        if not path.exists():
            write_json(path, {"rounds": run(base, options.domain, method, options.seed)})
        print(method, *json.loads(path.read_text(encoding="utf-8"))["rounds"], sep="\n")


if __name__ == "__main__":
    main()
