"""How surely the judge tells a lesson that answers a question from those that do not.

    python -m benchmarks.answerability.evaluate                      # the adapter that is shipped
    python -m benchmarks.answerability.evaluate --adapter ADAPTER

By threshold and margin: how many rephrasings of taught facts find their lesson or a wrong one, and how many questions
that no lesson answers get one. On the invented documents that training never saw (a lesson for five facts of each, four
documents at a time) and on a development domain (half of its facts, six draws).
"""

import argparse
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.answerability.exercises import lesson
from benchmarks.memory import general, read_domain
from benchmarks.skills.written_sets import documents
from knowledge.search import answerability
from knowledge.search.answerability import Answerability

THRESHOLDS, MARGINS = (1.0, 2.0, 2.5, 3.0), (0.0, 1.0)
_DOCUMENTS, _TAUGHT, _DRAWS = 4, 5, 6
_TWELVE, _TIMES = (
    [(f"Who keeps the key of the tower in street {number}?", "Ida Brel") for number in range(12)],
    20,
)


@dataclass(frozen=True)
class Group:
    """Lessons, the questions on each, and others that none of them answers, by what they are."""

    lessons: Sequence[str]
    questions: Sequence[tuple[str, int]]
    others: dict[str, Sequence[str]]


def of_documents() -> Iterator[Group]:
    """Groups of documents that training never saw."""
    rng = random.Random(0)
    known = [one for one in documents(aside=True) if not one.is_chinese]
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
    """For each kind of question [questions, 3]: the best score, its lead on the next, whether it is the right one."""
    found: dict[str, list[tuple[float, float, bool]]] = {"taught": []}
    for group in groups:

        def row(
            question: str, right: int, lessons: Sequence[str] = group.lessons
        ) -> tuple[float, float, bool]:
            scores = score(question, lessons)
            second, best = np.sort(scores)[-2:]
            return float(best), float(best - second), int(np.argmax(scores)) == right

        found["taught"] += [row(*one) for one in group.questions]
        for kind, questions in group.others.items():
            found.setdefault(kind, []).extend(row(one, -1) for one in questions)
    return {kind: np.array(rows) for kind, rows in found.items()}


def report(name: str, rows: dict[str, np.ndarray]) -> None:
    """Print the table."""
    others = [kind for kind in rows if kind != "taught"]
    print(f"\n{name}: " + ", ".join(f"{len(rows[kind])} {kind}" for kind in rows))
    print(f"| threshold | margin | right | wrong | {' | '.join(others)} |")
    print("|---" * (4 + len(others)) + "|")
    for margin in MARGINS:
        for threshold in THRESHOLDS:
            shown = {kind: (one[:, 0] >= threshold) & (one[:, 1] >= margin) for kind, one in rows.items()}
            right = rows["taught"][:, 2] > 0
            values = [np.mean(shown["taught"] & right), np.mean(shown["taught"] & ~right)]
            values += [np.mean(shown[kind]) for kind in others]
            print(f"| {threshold} | {margin} | " + " | ".join(f"{one:.3f}" for one in values) + " |")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--adapter", type=Path, default=answerability.ADAPTER)
    options = parser.parse_args(arguments)
    answerability.ADAPTER = options.adapter
    score = Answerability().score
    several = [lesson(*one) for one in _TWELVE]
    score(_TWELVE[0][0], several)  # opens the model
    started = time.perf_counter()
    for _ in range(_TIMES):
        score(_TWELVE[0][0], several)
    print(f"{len(several)} lessons are judged in {(time.perf_counter() - started) / _TIMES * 1000:.0f} ms")
    report("documents kept aside", judged(of_documents(), score))
    report("radio", judged(of_domain("radio", 24), score))


if __name__ == "__main__":
    main()
