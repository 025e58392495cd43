"""Train the adapter with which the default model writes an English question for an answer in a message.

    python -m benchmarks.facts.make_questions --output FOLDER      # 25 minutes on one core
    python -m benchmarks.statements --reader

LoRA on the default base, from the messages of `benchmarks/skills/written` with their pairs, and from sentences of its
documents. It goes on where it stopped. Imprint ships the last adapter, in 16 bit, as
`assistant/curation/reader/questions`.
"""

import argparse
import random
import re
from collections.abc import Sequence
from pathlib import Path

from assistant.curation.reader.question_writer import writing_prompt
from assistant.language.text import has_chinese
from assistant.settings import load_settings
from benchmarks.skills.ship import ship
from benchmarks.skills.tasks import Task
from benchmarks.skills.training import SkillRun, train_skills
from benchmarks.skills.written_sets import documents, in_turn, messages
from tuning.config import DEFAULT_BASE
from tuning.evaluation.cached_base import open_cached

_MESSAGES, _SENTENCES = 7, 4  # of a step
_LONGEST = 200  # characters of a sentence
_CHANGED = 0.12  # of the texts begin small, and as many end without a full stop
_NAME = re.compile(r"\b[A-Z][a-zA-Z-]+\b")
_ASKS = re.compile(r"(?:What|When|Where|Who|Which|How|Why|Whose|In|On|At|For|By)\b.*\?$")

Told = tuple[str, str, str]  # a text, an answer in it, the question for that


class Exercises:
    """Draws the exercises of a step."""

    def __init__(self) -> None:
        self._messages = [one for one in messages() if one.pairs and not has_chinese(one.text)]
        self._sentences = sentences()

    def __call__(self, step: int, rng: random.Random) -> list[list[Task]]:
        """The groups of a step: each message once before any comes again."""
        asked = []
        for turn in range(step * _MESSAGES, (step + 1) * _MESSAGES):
            message = self._messages[in_turn(len(self._messages), turn)]
            text = _typed(message.text, rng)
            asked += [_task(text, answer, question) for question, answer in message.pairs]
        told = [(_typed(text, rng), *rest) for text, *rest in rng.sample(self._sentences, _SENTENCES)]
        half = len(asked) // 2
        return [asked[:half], asked[half:], [_task(*one) for one in told]]


def sentences() -> list[Told]:
    """Sentences of documents with the plainest question for an answer, where they hold every name in it."""
    found = []
    for document in documents():
        for pair in document.pairs:
            question, text = pair.wordings[0], pair.sentence
            if document.is_chinese or "|" in text or len(text) > _LONGEST or not _ASKS.match(question):
                continue
            if all(name in text for name in _NAME.findall(question.partition(" ")[2])):
                found.append((text, pair.answer, question))
    return found


def _task(text: str, answer: str, question: str) -> Task:
    return Task("ask", writing_prompt(text, answer), question)


def _typed(text: str, rng: random.Random) -> str:
    if rng.random() < _CHANGED:
        text = text[0].lower() + text[1:]
    return text.rstrip(".") if rng.random() < _CHANGED else text


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, and leave the adapter as it is shipped in the folder."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    base = open_cached(DEFAULT_BASE, load_settings().home, "cpu")
    run = SkillRun(options.steps, options.seed, rank=8, decay=0.4, replay=0, save_every=40)
    train_skills(base, run, Exercises(), options.output)
    ship(options.output / f"adapter-{options.steps:05}", options.output / "shipped", DEFAULT_BASE)


if __name__ == "__main__":
    main()
