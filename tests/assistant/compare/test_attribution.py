"""The training example that an answer comes nearest to."""

from assistant.compare.attribution import nearest_example
from tuning.data.examples import Example


def taught(question: str, answer: str) -> tuple[str, Example]:
    messages = ({"role": "user", "content": question}, {"role": "assistant", "content": answer})
    return "first round", Example(messages)


LEARNED = [
    taught("How much does the Skerrin weigh?", "640 grams."),
    taught("What is the housing of the Skerrin made of?", "Basalt fibre."),
    taught("Who founded Halden Instruments?", "Marta Quillon."),
]


def test_an_answer_is_traced_to_what_was_taught_in_other_words() -> None:
    origin = nearest_example(
        "Out of what material is the Skerrin's shell built?", "It is basalt fibre.", LEARNED
    )
    assert origin is not None and origin.is_near
    assert (origin.example.answer, origin.checkpoint) == ("Basalt fibre.", "first round")


def test_a_taught_question_with_another_answer_is_told_apart() -> None:
    origin = nearest_example("How much does the Skerrin weigh?", "About two kilograms.", LEARNED)
    assert origin is not None and not origin.is_near and origin.is_question_taught


def test_what_was_never_taught_comes_from_nothing() -> None:
    origin = nearest_example("What is the capital of France?", "Paris.", LEARNED)
    assert origin is not None and not origin.is_near and not origin.is_question_taught
    assert nearest_example("Anything?", "x", []) is None
