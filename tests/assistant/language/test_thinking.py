"""Reasoning is told from the answer, whole and as it streams; tags in the middle of an answer are text."""

import pytest

from assistant.language.thinking import Reply, answer_of, split_thoughts


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("640 grams.", Reply("", "640 grams.")),
        ("<think>\nIt says 640.\n</think>\n\n640 grams.", Reply("It says 640.", "640 grams.")),
        ("\n<think></think>\n640 grams.", Reply("", "640 grams.")),
        # The template opened the reasoning itself.
        ("It says 640.\n</think>\n\n640 grams.", Reply("It says 640.", "640 grams.")),
        ("<reasoning>It says 640.</reasoning>640 grams.", Reply("It says 640.", "640 grams.")),
        # It was cut before the answer began.
        ("<think>It says", Reply("It says", "")),
        ("Close it with </think> in the same line.", Reply("", "Close it with </think> in the same line.")),
        ("The tag is <think>here</think>.", Reply("", "The tag is <think>here</think>.")),
        ("1 < 2", Reply("", "1 < 2")),
    ],
)
def test_a_reply_is_split(text: str, reply: Reply) -> None:
    assert split_thoughts(text) == reply
    assert answer_of(text) == reply.answer


@pytest.mark.parametrize("text", ["<think>\nIt says 640.\n</think>\n\n640 grams.", "Ask <i>him</i>: 1 < 2"])
def test_no_piece_of_a_tag_is_shown_while_it_streams(text: str) -> None:
    whole = split_thoughts(text)
    for end in range(len(text) + 1):
        part = split_thoughts(text[:end])
        assert whole.answer.startswith(part.answer) and "think" not in part.answer + part.thoughts
        assert whole.thoughts.startswith(part.thoughts)
