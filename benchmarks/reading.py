"""How much of the passages a model can use: answers from documents, by tokens of context.

    python -m benchmarks.reading --squad xquad.en.json --squad cmrc2018_dev.json --domains lighthouses --questions 100
    python -m benchmarks.reading --report

Each question is searched for in its set's documents; then some of what was found is quoted in different amounts, and
the model answers. An amount is "4x50" (50 tokens of sentences for each of 4 passages) or "4whole". The amounts of
assistant/chat/quoting.py were chosen with `--half 0` and the development domains; the tables are of what is left.
Answers are kept in `--results`, so that a run goes on where it stopped.
"""

import argparse
import hashlib
import json
import random
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.chat.excerpts import excerpts
from assistant.chat.presets import SENTENCES, SHORT, Order
from assistant.chat.prompt import render_question
from assistant.compare.stats import wilson
from assistant.engines.base import Engine
from assistant.language.refusals import is_refusal
from assistant.settings import load_settings
from assistant.workspace import Workspace
from benchmarks.memory import FOLDER, read_domain
from knowledge.base.knowledge_base import KnowledgeBase
from tuning.scoring import is_correct

SAMPLE = Path(__file__).parents[1] / "assistant" / "sample"
ORDERS: dict[str, Order] = {"short": SHORT, "sentences": SENTENCES}
PARAGRAPHS_A_FILE = 16
_TOKENS = {"short": 32, "sentences": 96}
_BATCH = 12


@dataclass(frozen=True)
class Asked:
    """A question and the answers that count; without any, only a refusal is right."""

    text: str
    answers: tuple[str, ...]


@dataclass(frozen=True)
class Amount:
    """How much is quoted: sentences with so many tokens for each passage, or the passages whole."""

    passages: int
    tokens: int | None

    @classmethod
    def read(cls, name: str) -> "Amount":
        """Read its name: 4x50, 4whole, or 0 for no passages at all."""
        if name.endswith("whole"):
            return cls(int(name.removesuffix("whole")), None)
        passages, _, tokens = name.partition("x")
        return cls(int(passages), int(tokens or 0))

    def of(self, question: str, found: Sequence[str], engine: Engine) -> list[str]:
        """The texts to quote."""
        passages = found[: self.passages]
        if self.tokens is None:
            return list(passages)
        return list(
            filter(None, excerpts(question, passages, self.tokens * self.passages, engine.count_text))
        )


def read_squad(path: Path, half: int | None) -> tuple[list[str], list[Asked]]:
    """SQuAD's JSON as Markdown files, and the questions on every second article."""
    articles, asked = [], []
    for number, article in enumerate(json.loads(path.read_text(encoding="utf-8"))["data"]):
        texts = [paragraph["context"].strip() for paragraph in article["paragraphs"]]
        articles.append("\n\n".join([f"# {article.get('title', number)}".replace("_", " "), *texts]))
        if half is None or number % 2 == half:
            for paragraph in article["paragraphs"]:
                asked += [
                    Asked(one["question"], tuple(dict.fromkeys(answer["text"] for answer in one["answers"])))
                    for one in paragraph["qas"]
                ]
    files = articles
    if len(articles) > 2 * PARAGRAPHS_A_FILE and max(text.count("\n\n") for text in articles) < 3:
        files = [
            "\n\n".join(articles[at : at + PARAGRAPHS_A_FILE])
            for at in range(0, len(articles), PARAGRAPHS_A_FILE)
        ]
    return files, asked


def read_own(name: str) -> tuple[list[Path], list[Asked]]:
    """The sample domain, or one of those that the memory benchmark invented (its rephrasings)."""
    if name != "sample":
        first, others = read_domain(name, 1)
        asked = [Asked(text, fact.answers) for fact in [*first, *others] for text in fact.rephrased]
        return [FOLDER / f"{name}.md"], asked
    lines = [
        json.loads(line)
        for file in ("questions.jsonl", "unanswerable.jsonl")
        for line in (SAMPLE / file).read_text(encoding="utf-8").splitlines()
    ]
    wanted = [one for one in lines if one.get("slice") != "general"]
    return sorted((SAMPLE / "documents").iterdir()), [
        Asked(one["question"], tuple(one.get("answers", ()))) for one in wanted
    ]


def indexed(workspace: Workspace, name: str, files: Sequence[Path | str]) -> KnowledgeBase:
    """The documents of a set, indexed once in the home."""
    base = workspace.knowledge(f"reading-{name}")
    if not base.count:
        with tempfile.TemporaryDirectory() as folder:
            paths = [_as_file(file, Path(folder), at) for at, file in enumerate(files)]
            base.add(paths)
    return base


def _as_file(file: Path | str, folder: Path, number: int) -> Path:
    if isinstance(file, Path):
        return file
    path = folder / f"{number:04}.md"
    path.write_text(file, encoding="utf-8")
    return path


def run(
    engine: Engine, base: KnowledgeBase, asked: Sequence[Asked], amount: Amount, order: str
) -> Iterator[dict[str, Any]]:
    """Ask everything with one amount, a few at a time."""
    for at in range(0, len(asked), _BATCH):
        some = asked[at : at + _BATCH]
        quoted = [
            amount.of(one.text, [hit.passage.text for hit in base.search(one.text, amount.passages)], engine)
            for one in some
        ]
        prompts = [
            [{"role": "user", "content": render_question(texts, one.text, ORDERS[order])}]
            for one, texts in zip(some, quoted, strict=True)
        ]
        answers = engine.complete(prompts, max_new_tokens=_TOKENS[order])
        for one, texts, answer in zip(some, quoted, answers, strict=True):
            yield {
                "question": one.text,
                "answers": one.answers,
                "said": answer,
                "tokens": sum(map(engine.count_text, texts)),
                "held": any(is_correct(text, one.answers) for text in texts) if one.answers else None,
                "right": is_correct(answer, one.answers) if one.answers else is_refusal(answer),
                "refused": is_refusal(answer),
                "numbered": "[" in answer,
            }


def line(cell: dict[str, Any]) -> str:
    """A row of the table."""
    rows = [row for row in cell["rows"] if row["answers"]]
    unknown = [row for row in cell["rows"] if not row["answers"]]
    right = sum(row["right"] for row in rows)
    interval = wilson(right, len(rows))
    held = statistics.mean(row["held"] for row in rows)
    shares = [f"{statistics.mean(row[key] for row in rows):.2f}" for key in ("refused", "numbered")]
    nobody = f"{sum(row['right'] for row in unknown)} of {len(unknown)}" if unknown else "–"
    return " | ".join(
        [
            f"| {cell['model']}", cell["set"], cell["order"], cell["amount"],
            f"{statistics.mean(row['tokens'] for row in rows):.0f}", f"{held:.2f}",
            f"**{right / len(rows):.2f}** [{interval.low:.2f}, {interval.high:.2f}]", *shares, nobody, f"{len(rows)} |",
        ]
    )  # fmt: skip


def report(results: Path) -> str:
    """Everything that was run, as Markdown."""
    heads = "model | set | order | amount | tokens | answer quoted | right | refused | numbered | unknown refused | n"
    cells = [json.loads(path.read_text(encoding="utf-8")) for path in results.glob("*.json")]
    cells.sort(key=lambda cell: (cell["model"], cell["set"], cell["order"], _size(cell)))
    return "\n".join([f"| {heads} |", "|---" * 11 + "|", *map(line, cells)])


def _size(cell: dict[str, Any]) -> float:
    return statistics.mean(row["tokens"] for row in cell["rows"])


def main(arguments: Sequence[str] | None = None, engine: Engine | None = None) -> None:
    """Run what is asked for and not yet there; print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--squad", type=Path, action="append", default=[], help="SQuAD's JSON; may be repeated"
    )
    parser.add_argument("--half", type=int, choices=(0, 1), help="ask about every second article alone")
    parser.add_argument("--domains", default="", help="sample, and those of benchmarks/memory_domains")
    parser.add_argument("--questions", type=int, default=100, help="of each set, drawn by the seed 0")
    parser.add_argument("--amounts", default="4x50,4whole")
    parser.add_argument("--orders", default="short")
    parser.add_argument("--results", type=Path)
    parser.add_argument("--report", action="store_true")
    options = parser.parse_args(arguments)
    workspace = Workspace(load_settings(), engine)
    results = options.results or workspace.home / "benchmarks" / "reading"
    results.mkdir(parents=True, exist_ok=True)
    if not options.report:
        for name, files, asked in _sets(options):
            base = indexed(workspace, name, files)
            chosen = random.Random(0).sample(asked, min(options.questions, len(asked)))
            for order in options.orders.split(","):
                for amount in options.amounts.split(","):
                    _fill(workspace.engine(), base, name, chosen, order, amount, results, options.half)
    print(report(results))
    workspace.close_knowledge()


def _fill(
    engine: Engine, base: KnowledgeBase, name: str, asked: Sequence[Asked], order: str, amount: str,
    results: Path, half: int | None,
) -> None:  # fmt: skip
    """Run one cell, unless it is there."""
    about = [engine.name, name if half is None else f"{name}, half {half}", order, amount, len(asked)]
    path = results / f"{hashlib.sha256(json.dumps(about).encode()).hexdigest()[:16]}.json"
    if path.exists():
        return
    rows = list(run(engine, base, asked, Amount.read(amount), order))
    cell = dict(zip(("model", "set", "order", "amount"), about[:4], strict=True)) | {"rows": rows}
    path.write_text(json.dumps(cell, ensure_ascii=False), encoding="utf-8")
    print(line(cell), flush=True)


def _sets(options: argparse.Namespace) -> Iterator[tuple[str, Sequence[Path | str], list[Asked]]]:
    for path in options.squad:
        yield path.stem.replace(".", "-"), *read_squad(path, options.half)
    for name in filter(None, options.domains.split(",")):
        yield name, *read_own(name)


if __name__ == "__main__":
    main()
