"""What the skills changed, on what their training never saw: the default base beside the base with an adapter.

    python -m benchmarks.skills.evaluate --data FOLDER --adapter none --adapter RUN/adapter-00300

Sets: `invented` (attributes kept aside), `written` (documents kept aside), `open` (articles kept aside), `general`
(questions without documents), `radio` and `wetland` (development domains with their documents, and the same once more
with every sentence taken out that holds the answer), `sample` (the sample domain with its documents) and `statements`
(pairs from messages of a chat). Greedy answers; what was asked is kept in `--results`.
"""

import argparse
import json
import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from assistant.chat.turn import AnswerOptions, TurnState
from assistant.compare.stats import wilson
from assistant.curation.labeller import labelling_prompt, pairs_in
from assistant.curation.stated_facts import StatedFact
from assistant.engines.local import LocalEngine
from assistant.history.sources import Source
from assistant.language.refusals import is_refusal
from assistant.language.text import sentences
from assistant.settings import load_settings
from assistant.workspace import Workspace
from benchmarks.memory import FOLDER, general, questions_of, read_domain
from benchmarks.reading import SAMPLE
from benchmarks.skills import exercises, open_sets, written_sets
from benchmarks.skills.open_sets import OpenGroups
from benchmarks.skills.written_sets import WrittenGroups
from benchmarks.statements import is_right, messages_of
from tuning.checkpoints.registry import Registry
from tuning.config import PLAIN_BASE
from tuning.evaluation.cached_base import open_cached
from tuning.models.base_model import BaseModel
from tuning.models.conversion import merge_low_rank
from tuning.scoring import contains, is_correct, normalise
from tuning.storage import read_json, write_json

_TOKENS, _PAIR_TOKENS, _BATCH = 32, 128, 16


@dataclass(frozen=True)
class Asked:
    """A prompt and the answers that count; without any, only a refusal is right."""

    slice: str
    prompt: list[dict[str, str]]
    answers: Sequence[str]


def invented(options: argparse.Namespace) -> list[Asked]:
    """Contexts with attributes that training never saw."""
    rng, asked = random.Random(1), []
    for number in range(options.questions // 2):
        language: exercises.Language = "zh" if number % 3 == 2 else "en"
        for task in exercises.reading_group(language, 2, rng, aside=True):
            asked.append(Asked(f"{language} {task.skill}", task.messages[:1], task.answers))
    return asked


def written(options: argparse.Namespace) -> list[Asked]:
    """Documents written for the skills, kept aside, quoted as the chat quotes them."""
    rng, asked = random.Random(3), []
    groups = WrittenGroups(
        written_sets.documents(aside=True), written_sets.messages(aside=True), open_sets.about_tokens
    )
    for chinese in (False, True):
        for turn in range(groups.size(chinese)):
            for task in groups.reading(chinese, turn, rng):
                name = f"{'zh' if chinese else 'en'} {task.skill}"
                asked.append(Asked(name, task.messages[:1], task.answers))
    return asked


def open_articles(options: argparse.Namespace) -> list[Asked]:
    """Articles of SQuAD, CMRC and XQuAD that training never saw."""
    rng, asked = random.Random(2), []
    groups = OpenGroups(open_sets.read_paragraphs(options.data, aside=True))
    for number in range(options.questions // 3):
        chinese = number % 3 == 2
        for task in groups.draw(chinese, 3, rng):
            asked.append(Asked(f"{'zh' if chinese else 'en'} {task.skill}", task.messages[:1], task.answers))
    return asked


def world(options: argparse.Namespace) -> list[Asked]:
    """General questions, without documents."""
    return [
        Asked("general", [{"role": "user", "content": one.question}], one.answers) for one in general(204)
    ]


def sample(workspace: Workspace) -> list[Asked]:
    """Everything on the sample domain, behind what its documents say."""
    lines = [
        json.loads(line)
        for file in ("questions.jsonl", "unanswerable.jsonl")
        for line in (SAMPLE / file).read_text(encoding="utf-8").splitlines()
    ]
    workspace.knowledge("sample-skills").add(sorted((SAMPLE / "documents").iterdir()))
    how, asked = AnswerOptions(memory="documents", knowledge_base="sample-skills"), []
    for one in lines:
        passages = workspace.chat.find(one["question"], how).passages
        budget = workspace.chat.budget(TurnState(question=one["question"], passages=passages), how)
        asked.append(Asked(one["slice"], list(budget.messages), tuple(one.get("answers", ()))))
    return asked


def domain(workspace: Workspace, name: str) -> list[Asked]:
    """A domain's questions behind what its document says; and behind the same without what answers them."""
    knowledge = f"{name}-skills"
    workspace.knowledge(knowledge).add([FOLDER / f"{name}.md"])
    how, asked = AnswerOptions(memory="documents", knowledge_base=knowledge), []
    first, others = read_domain(name, 1)
    for one in questions_of([*first, *others]):
        if one.kind == "reversed":
            continue
        passages = workspace.chat.find(one.question, how).passages
        for kind, shown, answers in (
            (one.kind, passages, one.answers),
            ("taken out", without(passages, one.answers), ()),
        ):
            if shown:
                turn = TurnState(question=one.question, passages=shown)
                asked.append(Asked(kind, list(workspace.chat.budget(turn, how).messages), answers))
    return asked


def without(passages: Sequence[Source], answers: Sequence[str]) -> tuple[Source, ...]:
    """The passages without the sentences that hold an answer."""

    def kept(text: str) -> str:
        lines = [
            " ".join(
                one
                for one in sentences(line)
                if not any(held in one or contains(one, held) for held in answers)
            )
            for line in text.splitlines()
        ]
        return "\n".join(filter(None, lines))

    return tuple(replace(one, text=kept(one.text), quoted="") for one in passages if kept(one.text))


def answered(base: BaseModel, asked: Sequence[Asked]) -> list[dict[str, Any]]:
    """The answers, each with whether it is right and whether it refuses."""
    said = base.complete([one.prompt for one in asked], max_new_tokens=_TOKENS)
    return [
        asdict(one)
        | {
            "said": text,
            "refused": is_refusal(text),
            "right": is_correct(text, one.answers) if one.answers else is_refusal(text),
            "exact": normalise(text) in {normalise(answer) for answer in one.answers},
        }
        for one, text in zip(asked, said, strict=True)
    ]


def fill(path: Path, base: BaseModel, asked: Sequence[Asked]) -> list[dict[str, Any]]:
    """The rows of a set, a few at a time: a run that was stopped goes on where it was."""
    rows: list[dict[str, Any]] = read_json(path).get("rows", [])
    while len(rows) < len(asked):
        rows += answered(base, asked[len(rows) : len(rows) + _BATCH])
        write_json(path, {"rows": rows})
    return rows


def lines_of(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """A row of the table for each slice."""
    for name in dict.fromkeys(row["slice"] for row in rows):
        some = [row for row in rows if row["slice"] == name]
        right, interval = (
            sum(row["right"] for row in some),
            wilson(sum(row["right"] for row in some), len(some)),
        )
        refused, exact = sum(row["refused"] for row in some), sum(row["exact"] for row in some)
        share = f"{right / len(some):.3f} [{interval.low:.2f}, {interval.high:.2f}]"
        yield f"{name} | {right} of {len(some)} | {share} | {exact} | {refused}"


def statements(base: BaseModel, name: str, limit: int) -> str:
    """How many of the facts that people state in a chat are found, and how many of the findings are right."""
    messages = messages_of(name)[:: max(1, len(messages_of(name)) // limit)]
    prompts = [[{"role": "user", "content": labelling_prompt(one["text"])}] for one in messages]
    said = base.complete(prompts, max_new_tokens=_PAIR_TOKENS)
    cells = []
    for language in ("en", "zh"):
        stated = found = findings = right = empty = silent = 0
        for one, text in zip(messages, said, strict=True):
            if one["language"] != language:
                continue
            read = [StatedFact(question, answer) for question, answer in pairs_in(text)]
            hits = [[is_right(finding, fact) for finding in read] for fact in one["facts"]]
            stated, found = stated + len(hits), found + sum(map(any, hits))
            findings += len(read)
            right += sum(any(row[place] for row in hits) for place in range(len(read)))
            empty, silent = empty + (not one["facts"]), silent + (not one["facts"] and not read)
        cells.append(
            f"{language}: {found} of {stated} found, {right} of {findings} right, silent {silent} of {empty}"
        )
    return "; ".join(cells)


SETS: dict[str, Callable[[argparse.Namespace], list[Asked]]] = {
    "invented": invented, "written": written, "open": open_articles, "general": world,
}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Ask what is asked for and not yet there; print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument(
        "--adapter", action="append", required=True, help="a folder, or none; may be repeated"
    )
    parser.add_argument("--sets", default="invented,open,general,sample")
    parser.add_argument("--questions", type=int, default=180)
    parser.add_argument("--every", type=int, default=1, help="of the sample domain, one question of so many")
    parser.add_argument("--results", type=Path, required=True)
    options = parser.parse_args(arguments)
    options.results.mkdir(parents=True, exist_ok=True)
    for adapter in options.adapter:
        _evaluate(adapter, options)


def _evaluate(adapter: str, options: argparse.Namespace) -> None:
    home = load_settings().home
    base: BaseModel = open_cached(PLAIN_BASE, home, "cpu")
    if adapter != "none":
        base = BaseModel.open(PLAIN_BASE, home, "cpu")  # answers that are cached are the base's own
        merge_low_rank(base.model, Path(adapter))
    label = adapter.rstrip("/").replace("/", "_")
    for name in options.sets.split(","):
        if name.startswith("statements"):
            which = name.removeprefix("statements").strip() or "looked at"
            print(f"{label} {name}: {statements(base, which, options.questions)}", flush=True)
            continue
        asked = SETS[name](options) if name in SETS else _with_documents(base, name, options)
        rows = fill(options.results / f"{label}-{name}.json", base, asked)
        for line in lines_of(rows):
            print(f"| {label} | {name} | {line} |", flush=True)


def _with_documents(base: BaseModel, name: str, options: argparse.Namespace) -> list[Asked]:
    """The prompts of a domain with its documents, made once: they do not depend on the adapter."""
    path = options.results / f"{name}-prompts.json"
    if not path.exists():
        with tempfile.TemporaryDirectory() as folder:
            settings = load_settings().model_copy(update={"home": Path(folder)})
            workspace = Workspace(settings, LocalEngine(base, Registry(settings.home)))
            found = sample(workspace) if name == "sample" else domain(workspace, name)
            write_json(path, {"asked": [asdict(one) for one in found]})
            workspace.close_knowledge()
    asked = [Asked(**one) for one in json.loads(path.read_text(encoding="utf-8"))["asked"]]
    return asked[:: options.every]


if __name__ == "__main__":
    main()
