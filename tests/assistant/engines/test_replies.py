"""An answer told apart into reasoning, text and calls, wherever its pieces break."""

import pytest

from assistant.engines.replies import Part, ReplyReader
from assistant.engines.tool_words import call_in_words, in_words

CALL = call_in_words("find", '{"q": "a } b", "n": {"k": 1}}')


def told(text: str, size: int, *, thoughts: bool = True, calls: bool = True) -> list[tuple[str, str, int]]:
    """The parts of a text that comes in pieces of this size, those of one kind and call joined."""
    joined: list[Part] = []
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    for part in ReplyReader(thoughts=thoughts, tools=("find", "now") if calls else ()).read(pieces):
        if joined and (joined[-1].kind, joined[-1].call) == (part.kind, part.call):
            joined[-1] = Part(part.kind, joined[-1].text + part.text, part.call)
        else:
            joined.append(part)
    return [(part.kind, part.text, part.call) for part in joined]


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Hello <b>you</b>", [("text", "Hello <b>you</b>", 0)]),
        ("<think>\nHm.\n</think>\n\nYes.", [("thoughts", "Hm.", 0), ("text", "Yes.", 0)]),
        ("<think>Hm", [("thoughts", "Hm", 0)]),
        ("<thin", [("text", "<thin", 0)]),
        (CALL, [("call", "find", 0), ("arguments", '{"q": "a } b", "n": {"k": 1}}', 0)]),
        (
            f"<think>Hm</think>I look.\n{CALL}\n{call_in_words('now', '{}')}",
            [
                ("thoughts", "Hm", 0),
                ("text", "I look.", 0),
                ("call", "find", 0),
                ("arguments", '{"q": "a } b", "n": {"k": 1}}', 0),
                ("call", "now", 1),
                ("arguments", "{}", 1),
            ],
        ),
        (CALL[12:-13], [("call", "find", 0), ("arguments", '{"q": "a } b", "n": {"k": 1}}', 0)]),  # no tags
        ('{"names": 1}', [("text", '{"names": 1}', 0)]),
        ('{"na', [("text", '{"na', 0)]),
        (CALL[:46], [("call", "find", 0), ("arguments", '{"q"', 0)]),  # cut off
        # In a fence, as some models write them.
        (
            '```json\n{\n  "name": "find",\n  "arguments": {"q": "东"}\n}\n```',
            [("call", "find", 0), ("arguments", '{"q": "东"}', 0)],
        ),
        ('```\n{"name": "now", "arguments": {}}', [("call", "now", 0), ("arguments", "{}", 0)]),
        (
            '```json\n{"name": "other", "arguments": {}}\n``` there',
            [("text", '```json\n{"name": "other", "arguments": {}}\n``` there', 0)],
        ),
        ('```json\n{"name": 1}\n```', [("text", '```json\n{"name": 1}\n```', 0)]),
        ("```python\nprint()\n```", [("text", "```python\nprint()\n```", 0)]),
        ("``", [("text", "``", 0)]),
    ],
)
def test_parts_do_not_depend_on_where_pieces_break(
    text: str, parts: list[tuple[str, str, int]], size: int
) -> None:
    assert told(text, size) == parts


def test_what_is_not_told_apart_is_text() -> None:
    assert told("<think>Hm</think>Yes.", 3, thoughts=False) == [("text", "<think>Hm</think>Yes.", 0)]
    assert told(CALL, 3, calls=False) == [("text", CALL, 0)]


def test_tools_results_and_calls_are_put_into_words() -> None:
    calls = '[{"id": "1", "type": "function", "function": {"name": "now", "arguments": "{}"}}]'
    chat = [
        {"role": "user", "content": "When?"},
        {"role": "assistant", "content": "", "tool_calls": calls},
        {"role": "tool", "content": "noon", "tool_call_id": "1"},
        {"role": "tool", "content": "Monday", "tool_call_id": "2"},
    ]
    assert in_words(chat) == [
        {"role": "user", "content": "When?"},
        {"role": "assistant", "content": call_in_words("now", "{}")},
        {
            "role": "user",
            "content": "<tool_response>\nnoon\n</tool_response>\n<tool_response>\nMonday\n</tool_response>",
        },
    ]
    assert in_words(chat, capability="small") == [{"role": "user", "content": "noon\n\nMonday\n\nWhen?"}]


def test_a_small_model_sees_earlier_turns_without_their_calls() -> None:
    calls = '[{"id": "1", "type": "function", "function": {"name": "now", "arguments": "{}"}}]'
    chat = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "When?"},
        {"role": "assistant", "content": "", "tool_calls": calls},
        {"role": "tool", "content": "noon", "tool_call_id": "1"},
        {"role": "assistant", "content": "At noon."},
        {"role": "user", "content": "And where?"},
    ]
    assert [message["content"] for message in in_words(chat, capability="small")] == [
        "Be kind.",
        "noon\n\nWhen?",
        "At noon.",
        "And where?",
    ]
