"""The token budget: everything fits, the oldest falls out first, and what fell out is told."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.chat.context_window import PARTS, Budget, TokenCounter, fit
from assistant.errors import PromptTooLongError
from tuning.data.examples import Message

if TYPE_CHECKING:
    from tuning.models.base_model import BaseModel


def count(messages: Sequence[Message]) -> int:
    """A template with three tokens around the whole and four around each message; a word is a token."""
    return 3 + sum(4 + len(message["content"].split()) for message in messages)


def conversation(*lengths: int) -> list[Message]:
    roles = ("user", "assistant")
    return [
        {"role": roles[place % 2], "content": f"m{place} " + "w " * length}
        for place, length in enumerate(lengths)
    ]


texts = st.integers(0, 30).map(lambda length: "wort " * length)


@given(
    question=texts,
    system=texts,
    passages=st.lists(texts, max_size=4),
    lengths=st.lists(st.integers(0, 20), max_size=9),
    window=st.integers(20, 200),
    reserve=st.integers(0, 60),
)
def test_every_budget_fits_and_adds_up(
    question: str, system: str, passages: list[str], lengths: list[int], window: int, reserve: int
) -> None:
    history = conversation(*lengths)
    try:
        budget = fit(
            question,
            counter=TokenCounter(count),
            window=window,
            reserve=reserve,
            system=system,
            passages=passages,
            history=history,
        )
    except PromptTooLongError as error:
        assert error.tokens > window - reserve
        return
    assert budget.total == count(budget.messages) <= window - reserve
    assert sum(budget.used.values()) == budget.total
    assert set(budget.used) == set(PARTS) and min(budget.used.values()) >= 0
    assert budget.free == window - reserve - budget.total >= 0
    assert list(budget.forgotten) == history[: len(budget.forgotten)]
    assert [*budget.forgotten, *_history_sent(budget, system)] == history
    assert budget.messages[-1]["content"].endswith(question)
    assert len(budget.passages) + budget.passages_left_out == len(passages)


def _history_sent(budget: Budget, system: str) -> tuple[Message, ...]:
    return budget.messages[1 if system.strip() else 0 : -1]


def test_whole_turns_fall_out_oldest_first() -> None:
    history = conversation(5, 5, 5, 5, 5, 5)
    budget = fit("now", counter=TokenCounter(count), window=70, reserve=15, history=history)
    assert [message["content"][:2] for message in budget.forgotten] == ["m0", "m1"]
    assert budget.messages[0]["role"] == "user"


def test_history_falls_out_before_a_passage_is_touched() -> None:
    budget = fit(
        "now",
        counter=TokenCounter(count),
        window=60,
        reserve=10,
        passages=["a " * 15, "b " * 15],
        history=conversation(9, 9),
    )
    assert len(budget.passages) == 2 and not budget.passages_shortened
    assert len(budget.forgotten) == 2


def test_the_best_passage_is_shortened_last_and_at_a_word() -> None:
    passages = ["alpha beta gamma " * 10, "delta " * 20]
    budget = fit("now", counter=TokenCounter(count), window=40, reserve=10, passages=passages)
    assert (budget.passages_left_out, budget.passages_shortened) == (1, True)
    assert passages[0].startswith(budget.passages[0])
    assert budget.passages[0].split()[-1] in ("alpha", "beta", "gamma")


def test_a_question_that_does_not_fit_names_its_tokens_and_the_window() -> None:
    with pytest.raises(
        PromptTooLongError, match=r"question has 107 tokens.*window of 64.*leaves 48"
    ) as caught:
        fit("w " * 100, counter=TokenCounter(count), window=64, reserve=16, system="be kind")
    assert (caught.value.tokens, caught.value.window) == (107, 64)


def test_a_system_prompt_that_does_not_fit_is_blamed_instead_of_the_question() -> None:
    with pytest.raises(PromptTooLongError, match=r"question alone has 8\. Shorten the system prompt"):
        fit("why", counter=TokenCounter(count), window=64, reserve=16, system="w " * 100)


def test_each_message_of_a_long_conversation_is_counted_once() -> None:
    calls = 0

    def counted(messages: Sequence[Message]) -> int:
        nonlocal calls
        calls += 1
        return count(messages)

    counter = TokenCounter(counted)
    history = conversation(*[5] * 400)
    fit("one", counter=counter, window=8192, reserve=256, history=history)
    assert calls < 420
    before = calls
    fit("two", counter=counter, window=8192, reserve=256, history=history)
    assert calls - before < 10


def test_a_template_that_costs_more_than_its_messages_still_fits() -> None:
    def uneven(messages: Sequence[Message]) -> int:
        return count(messages) + len(messages) ** 2

    budget = fit("now", counter=TokenCounter(uneven), window=200, reserve=20, history=conversation(*[5] * 20))
    assert uneven(budget.messages) == budget.total <= 180


def test_budget_is_exact_for_the_real_template(base_model: "BaseModel") -> None:
    def real(messages: Sequence[Message]) -> int:
        return len(base_model.chat_ids(list(messages), add_generation_prompt=True))

    history = [
        {"role": "user", "content": "Wie weit fliegt der Reiher?"},
        {"role": "assistant", "content": "47 Kilometer, 带电池。"},
    ] * 30
    budget = fit("And how heavy?", counter=TokenCounter(real), window=400, reserve=64, history=history)
    assert real(budget.messages) == budget.total <= 336
    assert budget.forgotten and len(budget.forgotten) % 2 == 0
    kept = real(budget.messages) - real(budget.messages[-1:])
    assert abs(kept - budget.used["history"]) <= 2
