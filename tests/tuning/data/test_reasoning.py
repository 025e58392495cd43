"""A stored answer's reasoning is no part of the answer."""

import time

import pytest

from tuning.data.reasoning import without_reasoning


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("<think>Let me see.</think>\n\nAt seven.", "At seven."),
        ("<think>\n</think>At seven.", "At seven."),
        ("Let me see.</think>At seven.", "At seven."),  # the prompt opened it
        (
            "<|begin_of_thought|>Hm.<|end_of_thought|>\n<|begin_of_solution|>At seven.<|end_of_solution|>",
            "At seven.",
        ),
        ("<think>Let me see", ""),  # cut off while it thought
        ("<THINKING>a</THINKING>At <think>b</think>seven.", "At seven."),
        (
            '<details type="reasoning" done="true"><summary>Thought</summary>\n> 想\n</details>\n早上七点。',
            "早上七点。",
        ),
        ("<details>\n<summary>Thoughts</summary>\nhm\n</details>\nAt seven.", "At seven."),
        ("Fold it with <details> and </details>.", "Fold it with <details> and </details>."),
        ("<details>All of the answer</details>", "<details>All of the answer</details>"),
        ("a < b and b > c", "a < b and b > c"),
    ],
)
def test_reasoning_is_left_out(text: str, answer: str) -> None:
    assert without_reasoning(text) == answer


@pytest.mark.parametrize("text", ["<think>" * 200_000, "<think></think>" * 200_000, "<details " * 200_000])
def test_hostile_texts_are_read_in_one_pass(text: str) -> None:
    start = time.monotonic()
    without_reasoning(text)
    assert time.monotonic() - start < 20
