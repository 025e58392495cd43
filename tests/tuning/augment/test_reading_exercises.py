"""Reading exercises: the answer stands in the context, seeds repeat, what is measured is never trained."""

import random

from assistant.chat.presets import SHORT
from assistant.chat.prompt import render_question
from tuning.augment.reading_exercises import FORM, FORM_ZH, exercise
from tuning.evaluation.reading_questions import READING
from tuning.scoring import contains


def test_the_answer_stands_in_the_context_once_and_half_are_about_what_is_taught() -> None:
    about = 0
    for seed in range(60):
        prompt, answer = exercise(["The Kestrel"], False, random.Random(seed))
        context, question = prompt.split("\n\nAnswer the question")
        assert context.count(answer.rstrip(".")) >= 1
        about += "Kestrel" in question
    assert 15 < about < 45
    assert exercise([], True, random.Random(4)) == exercise([], True, random.Random(4))


def test_exercises_have_the_form_of_the_prompt_that_retrieval_sends() -> None:
    passages = ["The Kestrel weighs 890 grams."]
    asked = {"context": passages[0], "question": "How heavy is the Kestrel?"}
    assert FORM.format(**asked) == render_question(passages, asked["question"], SHORT)
    assert FORM_ZH.format(context="塔重三吨。", question="塔有多重？") == render_question(
        ["塔重三吨。"], "塔有多重？", SHORT
    )


def test_every_question_with_a_text_can_be_answered_from_it_and_none_is_an_exercise() -> None:
    trained = {exercise([], False, random.Random(seed))[0] for seed in range(300)}
    for prompt, answers in READING:
        context = prompt.rpartition("\n\n")[0]
        assert any(contains(context, answer) for answer in answers), prompt
        assert prompt not in trained
