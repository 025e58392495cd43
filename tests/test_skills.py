"""How the skills are made: exercises say what is so, what is kept aside stays there, training goes on where it was."""

import json
import random
from functools import partial
from pathlib import Path

import pytest
import torch

from assistant.curation.labeller import labelling_prompt, pairs_in
from assistant.language.refusals import is_refusal
from benchmarks.skills import exercises, make, open_sets, ship
from benchmarks.skills.inventing import Language, attributes
from benchmarks.skills.tasks import REFUSAL, REFUSAL_ZH, Task, choose, read, refuse
from benchmarks.skills.training import SkillRun, train_skills
from tests.tuning.tiny import tiny_model
from tuning.models.adapter_files import PEFT_CONFIG, PEFT_WEIGHTS
from tuning.models.adapters import read_adapter
from tuning.models.base_model import BaseModel

LANGUAGES: tuple[Language, ...] = ("en", "zh")


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_read_stands_in_the_context_and_what_is_refused_is_refused(language: Language) -> None:
    rng = random.Random(0)
    tasks = [task for _ in range(60) for task in exercises.reading_group(language, 5, rng)]
    assert {task.skill for task in tasks} == {"read", "refuse"}
    for task in tasks:
        context, _, question = task.prompt.rpartition("\n")
        if task.skill == "read":
            assert task.answers[0].casefold() in context.casefold()
            assert task.answers[0].casefold() not in question.casefold()
        else:
            assert is_refusal(task.answer)
    assert 0.15 < sum(task.skill == "refuse" for task in tasks) / len(tasks) < 0.4


@pytest.mark.parametrize("language", LANGUAGES)
def test_attributes_kept_aside_are_asked_about_in_no_exercise(language: Language) -> None:
    trained, aside = attributes(language), attributes(language, aside=True)
    assert len(aside) >= 4 and not set(trained) & set(aside)
    rng = random.Random(1)
    asked = {task.prompt for _ in range(40) for task in exercises.reading_group(language, 5, rng)}
    endings = {
        form.split("{s}")[-1] for one in aside for form in one.questions if len(form.split("{s}")[-1]) > 9
    }
    taken = {form.split("{s}")[-1] for one in trained for form in one.questions}
    assert not [prompt for prompt in asked for end in endings - taken if prompt.endswith(end)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_pairs_of_a_message_are_in_the_form_that_curation_reads_and_copied(language: Language) -> None:
    rng, empty = random.Random(2), 0
    for _ in range(80):
        task = exercises.asking(language, rng)
        pairs = pairs_in(task.answer)
        empty += not pairs
        message = task.prompt.casefold()
        assert all(answer.casefold() in message for _, answer in pairs)
    assert 8 < empty < 35


def test_a_question_is_written_in_other_words() -> None:
    task = exercises.rephrasing("en", random.Random(3))
    lines = task.answer.splitlines()
    assert len(lines) == len(set(lines)) >= 2
    assert not any(line in task.prompt for line in lines)


def test_prompts_are_those_of_the_chat() -> None:
    assert read(["A. B."], "What?", ["B"]).prompt.startswith(
        "Context:\nA. B.\n\nAnswer the question with a short"
    )
    assert (
        refuse(["甲。"], "什么？").prompt.startswith("资料：\n甲。")
        and refuse(["甲。"], "什么？").answer == REFUSAL_ZH
    )
    assert refuse(["A."], "What?").answer == REFUSAL
    assert choose(["A."], "What is 1 + 1?", "Two.").answer == "Two."


def squad(folder: Path) -> Path:
    """Files in SQuAD's form, under the names of the open sets."""

    def article(title: str, text: str, word: str) -> dict[str, object]:
        asked = {"question": f"What is {word}?", "id": word, "answers": [{"text": word, "answer_start": 0}]}
        other = {"question": "Who sang?", "id": "x", "answers": [], "is_impossible": True}
        return {"title": title, "paragraphs": [{"context": text, "qas": [asked, other]}] * 2}

    english = [
        article("Warsaw", "Kept aside is here. It rains.", "Kept"),
        article("Tea", "Leaves are green. So.", "Leaves"),
    ]
    chinese = [article("茶", "茶叶是绿色的。天气很好。", "茶叶")]
    for name, data in zip(open_sets.FILES, (english, chinese, chinese), strict=True):
        (folder / name).write_text(json.dumps({"data": data}, ensure_ascii=False), encoding="utf-8")
    return folder


def test_open_sets_give_groups_on_one_excerpt_and_keep_articles_aside(tmp_path: Path) -> None:
    articles = open_sets.read_paragraphs(squad(tmp_path), aside=False)
    assert "Warsaw" not in {paragraph.title for article in articles for paragraph in article}
    assert {p.title for article in open_sets.read_paragraphs(tmp_path, aside=True) for p in article} == {
        "Warsaw"
    }
    group = open_sets.OpenGroups(articles).draw(False, 5, random.Random(0))
    assert {task.skill for task in group} == {"read", "refuse"}
    assert len({task.prompt.rpartition("\n")[0] for task in group}) == 1
    pair = open_sets.asking(articles, labelling_prompt, random.Random(0))
    assert pairs_in(pair.answer) in ([("What is Leaves?", "Leaves")], [("What is 茶叶?", "茶叶")])


def test_other_files_than_those_it_was_made_from_are_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"lacks squad-v2-dev\.json"):
        make.check_data(tmp_path)
    with pytest.raises(SystemExit, match="is another file"):
        make.check_data(squad(tmp_path))


def draw(step: int, rng: random.Random) -> list[list[Task]]:
    return [exercises.reading_group("en", 3, rng), [exercises.rephrasing("en", rng)]]


def test_training_goes_on_where_it_stopped_and_what_is_shipped_can_be_read(
    base_model: BaseModel, tmp_path: Path
) -> None:
    run = SkillRun(steps=4, save_every=2, rank=2, warmup=1, replay=2)
    train = partial(train_skills, tiny_model(base_model), run, replayed=6)
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    train(draw, whole)

    class StoppedError(Exception):
        """In the middle."""

    def stop(step: int, rng: random.Random, calls: list[int] = []) -> list[list[Task]]:  # noqa: B006 (it counts)
        calls.append(0)
        if len(calls) > 3:
            raise StoppedError
        return draw(step, rng)

    with pytest.raises(StoppedError):
        train(stop, halves)
    train(draw, halves)
    ship.ship(halves / "adapter-00004", tmp_path / "shipped")
    first, second = (read_adapter(one / "adapter-00004") for one in (whole, halves))
    assert all(torch.allclose(first.state[name], second.state[name], atol=1e-5) for name in first.state)
    shipped = read_adapter(tmp_path / "shipped")
    assert shipped.state.keys() == first.state.keys()
    assert {file.name for file in (tmp_path / "shipped").iterdir()} == {PEFT_CONFIG, PEFT_WEIGHTS}
