"""Whether a passage is shown where the documents answer a question, and none where they do not.

    python -m benchmarks.gate
    python -m benchmarks.gate --near

Own documents, the sample domain's and those that the memory benchmark invented, are asked their own questions in other
words (shown: one of the first four passages holds the answer), and the questions of documents about something else
(shown: any passage at all). `--near` also asks what the documents are about and do not say, which a search cannot know.
"""

import argparse
import json
import os
import platform
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

# As the `imprint` command sets them: read when torch and numpy are imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from benchmarks.memory import FOLDER, read_domain
from benchmarks.retrieval_sets import COLLECTIONS
from knowledge.base.knowledge_base import KnowledgeBase
from knowledge.index.embedding_models import DEFAULT_EMBEDDINGS
from knowledge.index.embeddings import SentenceEmbeddings, open_embeddings
from tuning.scoring import is_correct

SAMPLE = Path(__file__).parents[1] / "assistant" / "sample"
ENGLISH = ("sample", "radio", "lighthouses", "kites", "museum")
CHINESE = ("sample-zh", "wetland", "tea_machines")
SHOWN = 4
FOREIGN = 20  # questions of each set about something else


@dataclass(frozen=True)
class Domain:
    """Documents and what is asked about them."""

    name: str
    files: tuple[Path, ...]
    own: tuple[tuple[str, tuple[str, ...]], ...]  # questions in other words, and the answers that count
    near: tuple[str, ...]  # about the same things, and not in the documents

    @classmethod
    def read(cls, name: str) -> "Domain":
        """One of `ENGLISH` or `CHINESE`."""
        if name.startswith("sample"):
            return cls._of_sample(name, SAMPLE / "zh" if name.endswith("zh") else SAMPLE)
        first, others = read_domain(name, 1)
        own = tuple((text, fact.answers) for fact in (*first, *others) for text in fact.rephrased)
        return cls(name, (FOLDER / f"{name}.md",), own, ())

    @classmethod
    def _of_sample(cls, name: str, folder: Path) -> "Domain":
        asked = [one for one in _rows(folder / "questions.jsonl") if one.get("slice") == "rephrased"]
        return cls(
            name,
            tuple(sorted((folder / "documents").iterdir())),
            tuple((str(one["question"]), tuple(map(str, _listed(one["answers"])))) for one in asked),
            tuple(str(one["question"]) for one in _rows(folder / "unanswerable.jsonl")),
        )


def _rows(path: Path) -> Iterator[dict[str, object]]:
    return (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line)


def _listed(value: object) -> Iterable[object]:
    return value if isinstance(value, list) else ()


@dataclass(frozen=True)
class Shown:
    """How many of how many questions got a passage."""

    right: int  # of the domain's own: one of the first four passages holds the answer
    own: int
    foreign: int  # of others: any passage
    others: int
    near: int
    nears: int


def measure(
    domain: Domain, foreign: Sequence[str], embeddings: SentenceEmbeddings
) -> tuple[Shown, list[str]]:
    """What is shown of one domain's documents, and its own questions that found nothing right."""
    with tempfile.TemporaryDirectory() as folder, KnowledgeBase(Path(folder), embeddings=embeddings) as base:
        base.add(list(domain.files))

        def texts(question: str) -> list[str]:
            return [hit.passage.text for hit in base.search(question, SHOWN)]

        missed = [
            text
            for text, answers in domain.own
            if not any(is_correct(passage, answers) for passage in texts(text))
        ]
        shown = Shown(
            len(domain.own) - len(missed),
            len(domain.own),
            sum(bool(texts(text)) for text in foreign),
            len(foreign),
            sum(bool(texts(text)) for text in domain.near),
            len(domain.near),
        )
    return shown, missed


def questions_elsewhere(name: str, domains: Sequence[Domain], collection: str) -> list[str]:
    """Questions about something else in the same language: of the other domains, and of Wikipedia."""
    asked = [[text for text, _ in one.own] for one in domains if one.name != name]
    asked.append([text for text, _ in COLLECTIONS[collection].load().questions])
    return [text for texts in asked for text in texts[:: max(1, len(texts) // FOREIGN)][:FOREIGN]]


def main() -> None:
    """Measure every domain and print Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--near", action="store_true", help="ask what the documents are about and do not say")
    parser.add_argument("--missed", action="store_true", help="list own questions that find nothing right")
    parser.add_argument("--model", default=DEFAULT_EMBEDDINGS)
    parser.add_argument("--home", type=Path, help="where a fetched model lies")
    options = parser.parse_args()
    embeddings = open_embeddings(options.model, options.home)
    print(f"{datetime.now():%Y-%m-%d %H:%M}, {os.cpu_count()} cores, {platform.machine()}, {options.model}\n")
    print(f"| documents | own questions, in other words | of something else |{' near |' * options.near}")
    print("|---|---|---|" + "---|" * options.near)
    every: list[str] = []
    for names, collection in ((ENGLISH, "xquad-en"), (CHINESE, "xquad-zh")):
        domains = [Domain.read(name) for name in names]
        for domain in domains:
            foreign = questions_elsewhere(domain.name, domains, collection)
            found, missed = measure(domain, foreign, embeddings)
            near = f" {found.near} of {found.nears} |" if options.near else ""
            print(
                f"| {domain.name} | {found.right} of {found.own} | {found.foreign} of {found.others} |{near}",
                flush=True,
            )
            every += [f"{domain.name}: {text}" for text in missed]
    if options.missed:
        print("\n" + "\n".join(every))


if __name__ == "__main__":
    main()
