"""How surely lessons and passages that answer a question are told from those that do not.

    python -m benchmarks.answerability.evaluate                     # the adapters that are shipped
    python -m benchmarks.answerability.evaluate --language zh       # lessons alone; needs the multilingual model
    python -m benchmarks.answerability.evaluate --judge ADAPTER --likeness FOLDER

Lessons, by threshold: how many rephrasings of taught facts find their lesson or a wrong one, and how many
questions that no lesson answers get one. On the invented documents that training never saw (a lesson for five facts of
each, four documents at a time) and on a development domain (half of its facts, six draws).

Passages, by threshold: how many questions are refused whose answer stands there, or was taken out, or never stood
there. On the same documents (each beside another) and on what the search finds in a development domain's document.
"""

import argparse
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from assistant.chat.chat import Chat
from assistant.chat.excerpts import units
from assistant.chat.passage_judge import PassageJudge
from assistant.chat.turn import AnswerOptions
from assistant.history.sources import Source
from assistant.notes.encoder import VectorCache
from assistant.settings import load_settings
from assistant.workspace import Workspace
from benchmarks.answerability.exercises import lesson
from benchmarks.memory import FOLDER, general, read_domain
from benchmarks.reading import indexed
from benchmarks.skills.written_sets import Written, documents
from knowledge.search import answerability, likeness
from knowledge.search.answerability import Answerability
from knowledge.search.likeness import Language, Likeness
from tuning.scoring import contains, is_correct

THRESHOLDS = (0.0, 1.0, 2.0, 3.0, 3.5, 4.0)
REFUSED = (-4.0, -3.0, -2.5, -2.0, -1.0, 0.0)
DEVELOPMENT: dict[Language, str] = {"en": "radio", "zh": "wetland"}
_DOCUMENTS, _TAUGHT, _DRAWS = 4, 5, 6


@dataclass(frozen=True)
class Group:
    """Lessons, the questions on each, and others that none of them answers, by what they are."""

    lessons: Sequence[str]
    questions: Sequence[tuple[str, int]]
    others: dict[str, Sequence[str]]


def of_documents(language: Language) -> Iterator[Group]:
    """Groups of documents that training never saw."""
    rng = random.Random(0)
    known = [one for one in documents(aside=True) if one.is_chinese == (language == "zh")]
    for start in range(0, len(known) - _DOCUMENTS + 1, _DOCUMENTS):
        lessons: list[str] = []
        questions: list[tuple[str, int]] = []
        untaught: list[str] = []
        near: list[str] = []
        for document in known[start : start + _DOCUMENTS]:
            pairs = [one for one in document.pairs if len(one.wordings) > 1]
            pairs = rng.sample(pairs, len(pairs))
            for pair in pairs[:_TAUGHT]:
                questions += [(one, len(lessons)) for one in pair.wordings[1:]]
                lessons.append(lesson(pair.wordings[0], pair.answer))
            untaught += [one for pair in pairs[_TAUGHT:] for one in pair.wordings]
            near += document.unanswerable
        yield Group(lessons, questions, {"untaught": untaught, "nearly answered": near})


def of_domain(name: str, size: int) -> Iterator[Group]:
    """Draws of half the facts of a domain."""
    every = read_domain(name, size)[0]
    world = [one.question for one in general(68)]
    for draw in range(_DRAWS):
        facts = random.Random(draw).sample(every, size)
        taught, rest = facts[: size // 2], facts[size // 2 :]
        yield Group(
            [lesson(one.question, one.answer) for one in taught],
            [(question, place) for place, one in enumerate(taught) for question in one.rephrased],
            {
                "untaught": [question for one in rest for question in one.rephrased],
                "general": world if not draw else [],
            },
        )


def judged(
    groups: Iterator[Group], score: Callable[[str, Sequence[str]], np.ndarray]
) -> dict[str, np.ndarray]:
    """For each kind of question [questions, 2]: the best score, whether it is the right one's."""
    found: dict[str, list[tuple[float, bool]]] = {"taught": []}
    for group in groups:

        def row(question: str, right: int, lessons: Sequence[str] = group.lessons) -> tuple[float, bool]:
            scores = score(question, lessons)
            return float(scores.max()), int(np.argmax(scores)) == right

        found["taught"] += [row(*one) for one in group.questions]
        for kind, questions in group.others.items():
            found.setdefault(kind, []).extend(row(one, -1) for one in questions)
    return {kind: np.array(rows) for kind, rows in found.items()}


def report(name: str, rows: dict[str, np.ndarray]) -> None:
    """Print the table."""
    others = [kind for kind in rows if kind != "taught"]
    print(f"\n{name}: " + ", ".join(f"{len(rows[kind])} {kind}" for kind in rows))
    print(f"| threshold | right | wrong | {' | '.join(others)} |")
    print("|---" * (3 + len(others)) + "|")
    right = rows["taught"][:, 1] > 0
    for threshold in THRESHOLDS:
        shown = {kind: one[:, 0] >= threshold for kind, one in rows.items()}
        values = [np.mean(shown["taught"] & right), np.mean(shown["taught"] & ~right)]
        values += [np.mean(shown[kind]) for kind in others]
        print(f"| {threshold} | " + " | ".join(f"{one:.3f}" for one in values) + " |")


def in_documents(judge: PassageJudge) -> dict[str, list[float]]:
    """How surely the passages answer, for questions on the documents that training never saw."""
    rng = random.Random(0)
    known = [one for one in documents(aside=True) if not one.is_chinese]
    found: dict[str, list[float]] = {"answered": [], "taken out": [], "nearly answered": []}
    for place, document in enumerate(known):
        beside = _passages(known[(place + 1) % len(known)])
        whole = [*_passages(document), *beside]
        for pair in rng.sample(document.pairs, min(_TAUGHT, len(document.pairs))):
            question = rng.choice(pair.wordings)
            found["answered"].append(judge.surest(question, whole))
            cut = [without(one, [pair.answer]) for one in _passages(document)]
            found["taken out"].append(judge.surest(question, [*cut, *beside]))
        found["nearly answered"] += [judge.surest(one, whole) for one in document.unanswerable]
    return found


def _passages(document: Written) -> list[Source]:
    return [Source(0, text, title=document.title) for text in document.paragraphs]


def without(passage: Source, answers: Sequence[str]) -> Source:
    """A passage without the sentences that say an answer."""
    kept = [one for one in units(passage.text) if not any(contains(one, answer) for answer in answers)]
    return replace(passage, text="\n".join(kept))


def in_domain(judge: PassageJudge, name: str, size: int) -> dict[str, list[float]]:
    """The same for what the search finds in the document of a domain."""
    found: dict[str, list[float]] = {"answered": [], "taken out": []}
    workspace = Workspace(load_settings())
    base, how = indexed(workspace, name, [FOLDER / f"{name}.md"]), AnswerOptions(memory="documents")
    chat = Chat(workspace.engine, knowledge=lambda _: base)
    for fact in read_domain(name, size)[0]:
        for question in fact.rephrased:
            passages = chat.find(question, how).passages
            if any(is_correct(one.text, fact.answers) for one in passages):
                found["answered"].append(judge.surest(question, passages))
                cut = [without(one, fact.answers) for one in passages]
                found["taken out"].append(judge.surest(question, cut))
    workspace.close_knowledge()
    return found


def report_passages(name: str, scores: dict[str, list[float]]) -> None:
    """Print the table."""
    print(f"\n{name}: " + ", ".join(f"{len(rows)} {kind}" for kind, rows in scores.items()))
    print(f"| refused below | {' | '.join(scores)} |")
    print("|---" * (1 + len(scores)) + "|")
    for threshold in REFUSED:
        shares = [np.mean(np.array(rows) < threshold) for rows in scores.values()]
        print(f"| {threshold} | " + " | ".join(f"{share:.3f}" for share in shares) + " |")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--language", choices=("en", "zh"), default="en")
    parser.add_argument("--judge", type=Path, default=answerability.ADAPTER)
    parser.add_argument("--likeness", type=Path, default=likeness.ADAPTERS)
    options = parser.parse_args(arguments)
    answerability.ADAPTER, likeness.ADAPTERS = options.judge, options.likeness
    vectors = Likeness(options.language, load_settings().home)
    encode = VectorCache(vectors.encode)

    def score(question: str, lessons: Sequence[str]) -> np.ndarray:
        found = encode([question, *lessons])
        return vectors.log_odds(found[1:] @ found[0])

    name = DEVELOPMENT[options.language]
    report("documents kept aside", judged(of_documents(options.language), score))
    report(name, judged(of_domain(name, 24), score))
    if options.language == "en":
        judge = PassageJudge(Answerability().score)
        report_passages("passages of documents kept aside", in_documents(judge))
        report_passages(f"passages of {name}", in_domain(judge, name, 24))


if __name__ == "__main__":
    main()
