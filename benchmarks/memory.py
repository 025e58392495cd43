"""What tuning remembers and forgets: invented domains, several seeds, and what tutorials do beside.

    python -m benchmarks.memory --facts 20 --seeds 0,1,2    # hours on two cores; goes on where it stopped
    python -m benchmarks.memory --report                    # the table of what has been run
    python -m benchmarks.memory --report --notes-again      # with today's rules for lessons and notes

Each cell (domain, facts, seed, recipe) is one JSON file in `--results`. Questions are asked closed-book and
greedily; the rephrasings were written before any recipe was tried. `--documents` lets retrieval answer too.
"""

import argparse
import json
import platform
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any

from assistant.chat.presets import SHORT
from assistant.chat.prompt import render_question
from assistant.chat.turn import AnswerOptions, TurnState
from assistant.language.paraphrase import rephrase
from assistant.notes.asked_for import asked_for
from assistant.notes.encoder import NoteEncoder
from assistant.notes.far_words import is_made_up
from assistant.notes.matching import asks_for_something_short
from assistant.settings import load_settings
from assistant.workspace import Workspace
from benchmarks.memory_table import read_cells, table
from knowledge.index.embeddings import open_embeddings
from tuning.config import DEFAULT_BASE, TuneConfig
from tuning.data.examples import Example
from tuning.evaluation.cached_base import open_cached
from tuning.evaluation.recall import divergence
from tuning.evaluation.retention_questions import RETENTION
from tuning.models.base_model import BaseModel
from tuning.scoring import contains, is_correct
from tuning.storage import write_json
from tuning.training.trainer import train

FOLDER = Path(__file__).parent / "memory_domains"
TEST = ("lighthouses", "kites", "tea_machines")
RECIPES: dict[str, dict[str, Any]] = {
    "lora": {},
    "p-tuning-v2": {"method": "p-tuning-v2"},
    # What tutorials do: every linear layer, the questions as they are, nothing to hold the rest in place.
    "tutorial": {
        "rank": 16, "layers": "all", "learning_rate": 1e-3, "epochs": 15,
        "noise": False, "reversals": 0.0, "reading": 0.0, "replay": 0, "update_scale": 1.0, "early_stop": False,
    },
    "without noise": {"noise": False},
    "without replay": {"replay": 0},
    "without reversals": {"reversals": 0.0},
    "without reading": {"reading": 0.0},
    "without synonyms": {"synonyms": 0.0},
    "stepping back": {"update_scale": 0.85},
}  # fmt: skip
_TOKENS = 32
# Kinds of questions that are asked of lessons and weights together, and what that is called.
_AS_IN_THE_CHAT = {
    "rephrased": "weights and notes",
    "reversed": "reversed, with notes",
    "untaught": "untaught, quoted",
    "general": "general, quoted",
}
_OF_NOTES = {
    *_AS_IN_THE_CHAT.values(),
    *(f"{kind}, refused{known}" for kind in _AS_IN_THE_CHAT for known in ("", " though known")),
}


@dataclass(frozen=True)
class Fact:
    """One line of a domain's file."""

    question: str
    answer: str
    answers: tuple[str, ...]
    rephrased: tuple[str, ...]
    reversed: tuple[str, tuple[str, ...]] | None
    statement: str

    @property
    def example(self) -> Example:
        """As a chat teaches it."""
        turns = ({"role": "user", "content": self.question}, {"role": "assistant", "content": self.answer})
        return Example(turns)


@dataclass(frozen=True)
class Cell:
    """One run."""

    domain: str  # names joined by + are learned together
    facts: int
    seed: int
    recipe: str

    @property
    def name(self) -> str:
        """The name of its file."""
        return f"{self.domain}-{self.facts}-{self.seed}-{self.recipe}".replace(" ", "_").replace("/", "_")


@dataclass(frozen=True)
class Asked:
    """A question of one kind about one fact (or about the world), and the answers that count."""

    kind: str  # training, rephrased, reversed, general
    fact: str
    question: str
    answers: tuple[str, ...]


def read_domain(name: str, count: int) -> tuple[list[Fact], list[Fact]]:
    """The first facts of the domains, from each in turn; and the others, which are not taught."""
    every = [_facts(FOLDER / f"{one}.jsonl") for one in name.split("+")]
    facts = [fact for row in zip_longest(*every) for fact in row if fact is not None]
    if len(facts) < count:
        raise SystemExit(f"{name} holds {len(facts)} facts, and {count} were asked for. Join domains with +.")
    return facts[:count], facts[count:]


def _facts(path: Path) -> list[Fact]:
    return [_fact(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines() if line]


def _fact(row: dict[str, Any]) -> Fact:
    back = row.get("reversed")
    return Fact(
        row["question"],
        row["answer"],
        tuple(row["answers"]),
        tuple(row["rephrased"]),
        (back["question"], tuple(back["answers"])) if back else None,
        row["statement"],
    )


def questions_of(facts: Sequence[Fact]) -> list[Asked]:
    """Everything that is asked about the facts."""
    asked = []
    for fact in facts:
        key = fact.question
        asked.append(Asked("training", key, key, fact.answers))
        asked += [Asked("rephrased", key, question, fact.answers) for question in fact.rephrased]
        if fact.reversed:
            asked.append(Asked("reversed", key, *fact.reversed))
    return asked


def general(count: int) -> list[Asked]:
    """What the base may have known before: so many questions, of every kind."""
    chosen = RETENTION[:: max(1, len(RETENTION) // count)]
    return [Asked("general", question, question, answers) for question, answers in chosen]


def ask(base: BaseModel, asked: Sequence[Asked], adapter: str | None) -> list[str]:
    """Closed-book answers."""
    prompts = [[{"role": "user", "content": one.question}] for one in asked]
    return base.complete(prompts, adapter=adapter, max_new_tokens=_TOKENS)


def in_hand(facts: Sequence[Fact]) -> tuple[list[Asked], list[list[dict[str, str]]]]:
    """The rephrasings, each behind the one sentence that answers it: what the base can understand at most."""
    asked, prompts = [], []
    for fact in facts:
        for question in fact.rephrased:
            asked.append(Asked("sentence in hand", fact.question, question, fact.answers))
            text = render_question([fact.statement], question, SHORT)
            prompts.append([{"role": "user", "content": text}])
    return asked, prompts


def with_notes(cell: Cell, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The questions as the chat answers them: a lesson that is asked for is quoted where the weights say otherwise.

    Of questions that no lesson answers, those that are answered with one count as "quoted"; what the weights make up
    is withheld, which counts as "refused". Chinese questions in far words find lessons where the home has the
    multilingual embedding model (`imprint setup --multilingual`).
    """
    encoder = NoteEncoder(open_embeddings, load_settings().home)
    facts, _ = read_domain(cell.domain, cell.facts)
    lessons = [replace(one.example, probes=rephrase(one.question, one.answer)) for one in facts]
    found = []
    for row in rows:
        if row["kind"] not in _AS_IN_THE_CHAT:
            continue
        question = row["question"]
        asked = asked_for(question, lessons, encoder.encode, encoder.judge)
        quoted = asked.quoted.answer if asked is not None else ""
        judge = encoder.judge(question) if not quoted and asks_for_something_short(question) else None
        refused = judge is not None and is_made_up(question, row["said"], lessons, judge)
        found.append({**row, "kind": f"{row['kind']}, refused", "correct": refused})
        known = refused and row["correct"]
        found.append({**row, "kind": f"{row['kind']}, refused though known", "correct": known})
        if row["kind"] in ("untaught", "general"):
            found.append({**row, "kind": f"{row['kind']}, quoted", "said": quoted, "correct": bool(quoted)})
        else:
            said = row["said"] if not quoted or contains(row["said"], quoted) else quoted
            right = is_correct(said, row["answers"]) and not refused
            found.append({**row, "kind": _AS_IN_THE_CHAT[row["kind"]], "said": said, "correct": right})
    return found


def notes_again(record: dict[str, Any]) -> None:
    """Look lessons up in a kept run once more, by today's rules, which need no model that was tuned."""
    cell = Cell(*(record[field] for field in ("domain", "facts", "seed", "recipe")))
    kept = [row for row in record["rows"] if row["kind"] not in _OF_NOTES]
    record["rows"] = kept + with_notes(cell, kept)


def with_documents(workspace: Workspace, domain: str, asked: Sequence[Asked]) -> list[list[dict[str, str]]]:
    """The prompts of the same questions behind what the domain's documents say on them."""
    knowledge = workspace.knowledge(domain.replace("+", "-"))
    knowledge.add([FOLDER / f"{one}.md" for one in domain.split("+")])
    how = AnswerOptions(memory="documents", knowledge_base=domain.replace("+", "-"))
    prompts = []
    for one in asked:
        passages = workspace.chat.find(one.question, how).passages
        prompts.append(
            list(workspace.chat.budget(TurnState(question=one.question, passages=passages), how).messages)
        )
    return prompts


def run(
    cell: Cell, base: BaseModel, workspace: Workspace | None, overrides: dict[str, Any], count: int
) -> dict[str, Any]:
    """Train one cell and ask everything."""
    facts, untaught = read_domain(cell.domain, cell.facts)
    settings = {**RECIPES.get(cell.recipe, {}), **overrides}
    config = TuneConfig(**settings, seed=cell.seed)
    examples = [fact.example for fact in facts]
    random.Random(cell.seed).shuffle(examples)
    asked, world = questions_of(facts), general(count)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        result = train(base, config, examples, Path(folder), emit=lambda _: None, should_stop=lambda: False)
        seconds = time.monotonic() - started
        from tuning.models.adapters import read_adapter

        base.add_adapter("benchmark", read_adapter(result.adapter))
    try:
        answers = ask(base, asked, "benchmark")
        kept, before = ask(base, world, "benchmark"), ask(base, world, None)
        distance = divergence(
            base, [(a.question, b) for a, b in zip(world, before, strict=True)][:48], "benchmark"
        )
        rows = [_row(one, text) for one, text in zip(asked, answers, strict=True)]
        rows += [
            _row(one, text) | {"before": is_correct(first, one.answers)}
            for one, text, first in zip(world, kept, before, strict=True)
        ]
        strangers = [one for one in questions_of(untaught) if one.kind == "rephrased"]
        strange = ask(base, strangers, "benchmark")
        rows += [_row(one, text) | {"kind": "untaught"} for one, text in zip(strangers, strange, strict=True)]
        rows += with_notes(cell, rows)
        given, prompts = in_hand(facts)
        told = base.complete(prompts, max_new_tokens=_TOKENS)
        rows += [_row(one, text) for one, text in zip(given, told, strict=True)]
        if workspace is not None:
            others = [one for one in questions_of(untaught) if one.kind == "rephrased"]
            taught = [one for one in asked if one.kind == "rephrased"][:: len(facts[0].rephrased)]
            for name, some in (("", taught), ("untaught ", others)):
                prompts = with_documents(workspace, cell.domain, some)
                for kind, adapter in (("documents", None), ("both", "benchmark")):
                    told = base.complete(prompts, adapter=adapter, max_new_tokens=_TOKENS)
                    rows += [
                        _row(one, text) | {"kind": name + kind} for one, text in zip(some, told, strict=True)
                    ]
    finally:
        base.unload("benchmark")
    return {
        **asdict(cell),
        "config": settings,
        "rows": rows,
        "seconds": seconds,
        "train_seconds": result.seconds,
        "steps": result.steps,
        "early": result.early,
        "tokens": result.tokens,
        "divergence": distance,
        "machine": platform.processor() or platform.machine(),
        "date": datetime.now().isoformat(timespec="minutes"),
    }


def _row(one: Asked, text: str) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "fact": one.fact,
        "question": one.question,
        "answers": list(one.answers),
        "said": text,
        "correct": is_correct(text, one.answers),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is asked for and not yet there; print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--domains", default=",".join(TEST))
    parser.add_argument("--facts", default="20")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--recipes", default="lora,p-tuning-v2,tutorial")
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=JSON", help="change the recipe")
    parser.add_argument("--label", help="the name of a changed recipe")
    parser.add_argument("--documents", action="store_true", help="ask with documents, too")
    parser.add_argument("--general", type=int, default=len(RETENTION), help="how many general questions")
    parser.add_argument("--base", default=DEFAULT_BASE, help="the model to tune; give --results of its own")
    parser.add_argument("--results", type=Path)
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--by-domain", action="store_true", help="a table for each domain besides")
    parser.add_argument("--notes-again", action="store_true", help="look lessons up in kept runs once more")
    options = parser.parse_args(arguments)
    settings = load_settings()
    results = options.results or settings.home / "benchmarks" / "memory"
    results.mkdir(parents=True, exist_ok=True)
    overrides = {field: json.loads(value) for field, _, value in (one.partition("=") for one in options.set)}
    if not options.report:
        base = open_cached(options.base, settings.home)
        workspace = None
        if options.documents:
            from assistant.engines.local import LocalEngine
            from tuning.checkpoints.registry import Registry

            workspace = Workspace(settings, LocalEngine(base, Registry(settings.home)))
        for cell in _cells(options):
            path = results / f"{cell.name}.json"
            if path.exists():
                continue
            named = cell if options.label is None else replace(cell, recipe=cell.recipe.split("/")[0])
            record = run(named, base, workspace, overrides, options.general) | {"recipe": cell.recipe}
            write_json(path, record)
            print(table([record]).splitlines()[-1], flush=True)
    if options.notes_again:
        for path in sorted(results.glob("*.json")):
            record = json.loads(path.read_text(encoding="utf-8"))
            notes_again(record)
            write_json(path, record)
    records = read_cells(results)
    for domain in sorted({one["domain"] for one in records}) if options.by_domain else ():
        print(f"{domain}\n{table([one for one in records if one['domain'] == domain])}\n")
    print(table(records))


def _cells(options: argparse.Namespace) -> Iterator[Cell]:
    for recipe in options.recipes.split(","):
        label = recipe if options.label is None else f"{recipe}/{options.label}"
        for facts in map(int, options.facts.split(",")):
            for seed in map(int, options.seeds.split(",")):
                for domain in options.domains.split(","):
                    yield Cell(domain, facts, seed, label)


if __name__ == "__main__":
    main()
