"""Makes the skills of the default base anew, from open data and invented domains.

    python -m benchmarks.skills.make --data FOLDER --output FOLDER --steps 110
    python -m benchmarks.skills.make --data FOLDER --output FOLDER --steps 240 --written    # tried, not shipped

`--data` holds SQuAD 2.0 (squad-v2-dev.json), CMRC 2018 (cmrc2018_dev.json) and XQuAD (xquad.zh.json), unchanged; their
hashes are checked. It goes on where it stopped. What came of it, and the licences, are in docs/skills.md.
"""

import argparse
import random
from collections.abc import Sequence
from pathlib import Path

from assistant.curation.labeller import labelling_prompt
from assistant.settings import load_settings
from benchmarks.skills import exercises, open_sets, written_sets
from benchmarks.skills.inventing import Language
from benchmarks.skills.open_sets import OpenGroups, Paragraph
from benchmarks.skills.tasks import Task, choose
from benchmarks.skills.training import SkillRun, train_skills
from benchmarks.skills.written_sets import WrittenGroups
from tuning.augment.replay_prompts import REPLAY_PROMPTS
from tuning.config import PLAIN_BASE
from tuning.evaluation.cached_base import open_cached
from tuning.models.base_model import BaseModel
from tuning.storage import file_sha256
from tuning.training.replay import REPLAYED

SHA256 = {
    "squad-v2-dev.json": "e67e5969b6dc6c1642154740806b79263b77fc048c7c11ee60d534eb48ef81e8",
    "cmrc2018_dev.json": "e9ff74231f05c230c6fa88b84441ee334d97234cbb610991cd94b82db00c7f1f",
    "xquad.zh.json": "691d0b3359bc6b8faa8de931dfdfe21d50a65861ae348e32a0d1a0190b0c8835",
}
_CHINESE = 0.3  # share of the groups
_ON_ONE_CONTEXT = 6  # questions


class Curriculum:
    """What each step learns: questions on two contexts, and now and then an exercise of its own kind."""

    def __init__(self, base: BaseModel, articles: Sequence[Sequence[Paragraph]]) -> None:
        self._articles, self._open = articles, OpenGroups(articles)
        self._known = known_answers(base)

    def __call__(self, step: int, rng: random.Random) -> list[list[Task]]:
        """The groups of a step."""
        groups = [exercises.reading_group(self._language(rng), _ON_ONE_CONTEXT, rng)]
        if rng.random() < 0.6:
            groups.append(self._open.draw(rng.random() < _CHINESE, _ON_ONE_CONTEXT, rng))
        else:
            groups.append(exercises.reading_group(self._language(rng), _ON_ONE_CONTEXT, rng))
        chance = rng.random()
        if chance < 0.25:
            groups.append([self._choosing(rng)])
        elif chance < 0.75:
            groups.append([self._written(rng)])
        return groups

    def _language(self, rng: random.Random) -> Language:
        return "zh" if rng.random() < _CHINESE else "en"

    def _written(self, rng: random.Random) -> Task:
        """An exercise whose answer is a question."""
        chance = rng.random()
        if chance < 0.3:
            return open_sets.asking(self._articles, labelling_prompt, rng)
        return (exercises.rephrasing if chance < 0.45 else exercises.asking)(self._language(rng), rng)

    def _choosing(self, rng: random.Random) -> Task:
        """A general question behind passages that do not help."""
        question, answer = rng.choice(self._known)
        return choose(exercises.passages("en", rng), question, answer)


class WrittenCurriculum(Curriculum):
    """The same with the documents and messages of `written/`, and twice as much a step: see docs/skills.md."""

    def __init__(self, base: BaseModel, articles: Sequence[Sequence[Paragraph]]) -> None:
        super().__init__(base, articles)
        self._groups = WrittenGroups(
            written_sets.documents(),
            written_sets.messages(),
            lambda text: len(base.tokenizer(text, add_special_tokens=False)["input_ids"]),
        )

    def __call__(self, step: int, rng: random.Random) -> list[list[Task]]:
        """The groups of a step."""
        written, chance = self._groups, rng.random
        groups = [written.reading(False, 2 * step, rng)]
        is_chinese = chance() < 0.6
        groups.append(written.reading(is_chinese, step if is_chinese else 2 * step + 1, rng))
        if chance() < 0.6:
            groups.append(self._open.draw(chance() < _CHINESE, _ON_ONE_CONTEXT, rng))
        if chance() < 0.3:
            groups.append(exercises.reading_group(self._language(rng), _ON_ONE_CONTEXT, rng))
        groups.append([written.asking(False, step, rng)])
        if chance() < 0.6:
            groups.append([written.asking(True, step, rng)])
        if chance() < 0.4:
            groups.append([written.rephrasing(chance() < _CHINESE, rng)])
        if chance() < 0.4:
            groups.append([self._choosing(rng)])
        return groups


def known_answers(base: BaseModel) -> list[tuple[str, str]]:
    """General questions with the base's own answers, where those are one short sentence."""
    spread = REPLAY_PROMPTS[:: max(1, len(REPLAY_PROMPTS) // REPLAYED)]  # as are replayed: answered once
    answers = base.complete([[{"role": "user", "content": one}] for one in spread], max_new_tokens=16)
    pairs = [(one, answer.strip()) for one, answer in zip(spread, answers, strict=True)]
    return [(one, answer) for one, answer in pairs if one.endswith("?") and answer.endswith(".")]


def check_data(folder: Path) -> None:
    """End with one sentence where a file is not the one that the skills were made from."""
    for name, wanted in SHA256.items():
        if not (folder / name).is_file():
            raise SystemExit(f"{folder} lacks {name}. Put it there: docs/skills.md says where it comes from.")
        if (found := file_sha256(folder / name)) != wanted:
            raise SystemExit(
                f"{folder / name} is another file (sha256 {found[:12]}…, wanted {wanted[:12]}…)."
            )


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, and leave the adapter in the output folder."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=SkillRun.steps)
    parser.add_argument("--learning-rate", type=float, default=SkillRun.learning_rate)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--written", action="store_true", help="with the documents and messages of written/")
    options = parser.parse_args(arguments)
    check_data(options.data)
    base = open_cached(PLAIN_BASE, load_settings().home, "cpu")
    run = SkillRun(steps=options.steps, seed=options.seed, learning_rate=options.learning_rate)
    articles = open_sets.read_paragraphs(options.data, aside=False)
    curriculum = WrittenCurriculum if options.written else Curriculum
    train_skills(base, run, curriculum(base, articles), options.output)


if __name__ == "__main__":
    main()
