"""What a file marks as bad, or as context alone, is never learned; it stays before what is."""

import json
from pathlib import Path
from typing import Any

import pytest

from tuning.data.examples import Example, read_examples, write_examples
from tuning.data.importers import ImportResult, import_file
from tuning.data.reading_process import read_chats_apart
from tuning.errors import ExampleError

ASKED = {"role": "user", "content": "What is the tide mark called?"}
WRONG = {"role": "assistant", "content": "The Ulvik post."}
AGAIN = {"role": "user", "content": "No, that was the old one."}
RIGHT = {"role": "assistant", "content": "The Brattne stone."}
HOW_HOT = {"role": "user", "content": "How hot?"}
DEGREES, NO = {"role": "assistant", "content": "1240."}, {"role": "assistant", "content": "No."}


def read(folder: Path, *records: Any) -> ImportResult:
    path = folder / "chats.jsonl"
    path.write_text("\n".join(json.dumps(record, ensure_ascii=False) for record in records), encoding="utf-8")
    return import_file(path)


def learned(result: ImportResult) -> list[str]:
    """Every answer that a run would be trained on."""
    return [
        m["content"]
        for one in result.examples
        for m in one.messages
        if m["role"] == "assistant" and "weight" not in m
    ]


@pytest.mark.parametrize(
    "mark",
    [
        *({"weight": weight} for weight in (0, 0.0, "0", -1)),
        *({key: value} for key in ("train", "loss", "train_on_turn") for value in (False, "false", 0)),
        {"mask": True},
        {"masked": 1},
        {"loss_scale": 0.0},
        {"loss_weight": "0"},
        {"learn": False},
        {"ignore": True},
    ],
)
def test_a_marked_answer_is_context_for_the_next(tmp_path: Path, mark: dict[str, Any]) -> None:
    result = read(tmp_path, {"messages": [ASKED, {**WRONG, **mark}, AGAIN, RIGHT]})

    assert learned(result) == ["The Brattne stone."]
    assert [m["content"] for m in result.examples[0].messages][1] == "The Ulvik post."
    assert result.notes == ("1 answer is marked as not to be learned: it is read as context alone.",)


@pytest.mark.parametrize(
    "mark", [{"weight": 1}, {"weight": None}, {"train": True}, {"loss": "true"}, {"train": None}]
)
def test_what_is_marked_as_to_be_learned_is(tmp_path: Path, mark: dict[str, Any]) -> None:
    result = read(tmp_path, {"messages": [ASKED, {**WRONG, **mark}, AGAIN, RIGHT]})

    assert learned(result) == ["The Ulvik post.", "The Brattne stone."]
    assert result.notes == ()


@pytest.mark.parametrize(
    "mark", [{"weight": 0}, {"train": False}, {"rating": -1}, {"feedback": {"rating": "thumbsDown"}}]
)
def test_a_chat_that_ends_with_a_marked_answer_teaches_what_comes_before(
    tmp_path: Path, mark: dict[str, Any]
) -> None:
    result = read(tmp_path, {"messages": [ASKED, RIGHT, AGAIN, {**WRONG, **mark}]})

    assert learned(result) == ["The Brattne stone."]


@pytest.mark.parametrize(
    "record",
    [
        {"messages": [ASKED, WRONG], "label": False},  # KTO
        {"messages": [ASKED, WRONG], "weight": 0},
        {"messages": [ASKED, WRONG], "kto_tag": False},  # LLaMA-Factory
        {"messages": [ASKED, WRONG], "score": -1},
        {"messages": [ASKED, {**WRONG, "is_good": False}]},
        {"instruction": "What is it called?", "output": "The Ulvik post.", "kto_tag": "false"},
        {"prompt": "What is it called?", "completion": "The Ulvik post.", "label": False},
        {"prompt": "What is it called?", "completion": "The Ulvik post.", "label": "False"},
        {"prompt": "What is it called?", "response": "The Ulvik post.", "rating": "BAD"},  # AnythingLLM
        {"prompt": "What is it called?", "response": "The Ulvik post.", "feedbackScore": False},
        {"prompt": "What is it called?", "response": "The Ulvik post.", "feedbackScore": 0},
        {"instruction": "What is it called?", "output": "The Ulvik post.", "train": False},
        {"messages": [ASKED, {**WRONG, "rating": "👎🏽"}]},
        {"messages": [ASKED, {**WRONG, "reactions": ["👍", "👎"]}]},
        {"messages": [ASKED, {**WRONG, "feedbacks": [{"rating": "dislike"}]}]},
        {"messages": [ASKED, WRONG], "feedback": {"thumbs": "down"}},
        {"messages": [ASKED, WRONG], "feedback_rating": "unhelpful"},
        {
            "conversations": [
                {"from": "human", "value": "Well?"},
                {"from": "gpt", "value": "Ulvik.", "weight": 0},
            ]
        },
    ],
)
def test_a_record_that_is_marked_as_bad_teaches_nothing(tmp_path: Path, record: dict[str, Any]) -> None:
    result = read(tmp_path, record)

    assert (result.examples, result.skipped, len(result.conversations)) == ((), 1, 1)


def test_of_a_masked_history_only_the_last_answer_is_learned(tmp_path: Path) -> None:
    turns = [{"from": "human", "value": "One?"}, {"from": "gpt", "value": "1"}] * 2 + [
        {"from": "human", "value": "Three?"},
        {"from": "gpt", "value": "3"},
    ]
    assert learned(read(tmp_path, {"conversations": turns, "mask_history": True})) == ["3"]
    assert learned(
        read(tmp_path, {"instruction": "B?", "output": "b", "history": [["A?", "a"]], "mask_history": True})
    ) == ["b"]


def test_of_two_answers_in_a_row_the_marked_one_is_no_part_of_the_other(tmp_path: Path) -> None:
    result = read(tmp_path, {"messages": [ASKED, {**WRONG, "weight": 0}, RIGHT]})

    assert [m["content"] for m in result.examples[0].messages] == [ASKED["content"], RIGHT["content"]]


@pytest.mark.parametrize(
    "record",
    [
        {
            "conversations": [{"from": "human", "value": "How hot?"}],
            "chosen": {"from": "gpt", "value": "1240."},
            "rejected": {"from": "gpt", "value": "No."},
        },
        {"prompt": "How hot?", "chosen": "1240.", "rejected": "No."},
        {"instruction": "How", "input": "hot?", "chosen": "1240.", "rejected": "No."},
        {"prompt": [HOW_HOT], "chosen": [DEGREES], "rejected": [NO]},
        {"chosen": [HOW_HOT, DEGREES], "rejected": []},
        {"prompt": "How hot?", "chosen": [HOW_HOT, DEGREES], "rejected": []},
        {
            "chosen": "\n\nHuman: How hot?\n\nAssistant: 1240.",
            "rejected": "\n\nHuman: How hot?\n\nAssistant: No.",
        },
        {"input": {"messages": [HOW_HOT]}, "preferred_output": [DEGREES], "non_preferred_output": [NO]},
    ],
)
def test_of_a_preference_the_chosen_answer_is_learned(tmp_path: Path, record: dict[str, Any]) -> None:
    (example,) = read(tmp_path, record).examples

    assert (" ".join(example.question.split()), example.answer, len(example.messages)) == (
        "How hot?",
        "1240.",
        2,
    )


def test_a_preferred_answer_without_a_question_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExampleError, match="has no question before it"):
        read(tmp_path, {"chosen": "1240.", "rejected": "No."})


def test_marks_survive_being_written_and_read(tmp_path: Path) -> None:
    result = read(tmp_path, {"messages": [ASKED, {**WRONG, "weight": 0}, AGAIN, RIGHT]})
    write_examples(tmp_path / "examples.jsonl", result.examples)

    assert read_examples(tmp_path / "examples.jsonl") == list(result.examples)
    assert import_file(tmp_path / "examples.jsonl").examples == result.examples
    assert '"weight": 0' in (tmp_path / "examples.jsonl").read_text()  # as OpenAI writes it
    apart = read_chats_apart(tmp_path / "chats.jsonl", goes_on=True)
    assert apart.chats[0].messages == result.conversations[0].messages


def test_marks_are_part_of_what_an_example_is() -> None:
    marked = Example((ASKED, {**WRONG, "weight": "0"}, AGAIN, RIGHT))

    assert marked.key != Example((ASKED, WRONG, AGAIN, RIGHT)).key
    with pytest.raises(ExampleError, match="marked as not to be learned"):
        Example((ASKED, {**WRONG, "weight": "0"}))


def test_placeholders_that_nobody_filled_in_are_told(tmp_path: Path) -> None:
    result = read(
        tmp_path,
        {"prompt": "Who is {{customer_name}}?", "response": "Ada."},
        {"prompt": "A?", "response": "{}"},
    )

    assert result.notes == (
        "1 of 2 chats hold placeholders that nobody filled in, such as {{customer_name}}: "
        "they would be learned as they stand.",
    )


def test_of_several_answers_to_an_instruction_the_first_is_learned(tmp_path: Path) -> None:
    result = read(tmp_path, {"instruction": "Well?", "input": "", "output": ["The Brattne stone.", "Ulvik."]})
    assert learned(result) == ["The Brattne stone."]


def test_a_thumb_in_a_table_counts_in_whatever_case_its_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / "chats.csv"
    path.write_text("id,prompt,response,feedbackScore\n1,Who?,Moen.,1\n2,Where?,Ulvik.,0\n3,When?,1987.,\n")

    assert learned(import_file(path)) == ["Moen.", "1987."]


def test_a_thumb_beside_a_mark_does_not_undo_the_mark(tmp_path: Path) -> None:
    liked, disliked = {**RIGHT, "rating": 1}, {**NO, "rating": -1}
    marked = {**WRONG, "weight": 0}

    without_likes = read(tmp_path, {"messages": [ASKED, marked, AGAIN, RIGHT, HOW_HOT, disliked]})
    assert learned(without_likes) == ["The Brattne stone."]
    assert [m["content"] for m in without_likes.examples[0].messages][1] == "The Ulvik post."
    assert without_likes.conversations[0].record is not None
    stored = without_likes.conversations[0].record["messages"]
    assert [m["rating"] for m in stored] == [0, 0, 0, 0, 0, -1]
    assert [m.get("ending") for m in stored].index("context") == 1  # it is not learned later either

    two_in_a_row = read(tmp_path, {"messages": [ASKED, marked, liked]})
    assert learned(two_in_a_row) == ["The Brattne stone."]


USES = {"type": "tool_use", "id": "t", "name": "weather", "input": {}}
GIVES = {"type": "tool_result", "tool_use_id": "t", "content": "rain"}


@pytest.mark.parametrize(
    "turns",
    [
        [ASKED, {"role": "assistant", "content": [USES]}, {"role": "user", "content": [GIVES]}, WRONG],
        [ASKED, {"role": "assistant", "content": [{"type": "text", "text": "Let me see."}, USES]}, WRONG],
        [ASKED, {"role": "assistant", "content": [USES, GIVES, {"type": "text", "text": WRONG["content"]}]}],
        [
            ASKED,
            {
                "role": "assistant",
                "parts": [
                    {"type": "tool-weather", "output": "x"},
                    {"type": "text", "text": WRONG["content"]},
                ],
            },
        ],
    ],
)
@pytest.mark.parametrize("rating", [0, -1])
def test_what_rests_on_a_tool_is_context_whoever_wrote_it_down(
    tmp_path: Path, turns: list[dict[str, Any]], rating: int
) -> None:
    result = read(tmp_path, {"messages": [*turns, AGAIN, RIGHT, HOW_HOT, {**NO, "rating": rating}]})

    assert learned(result) == ["The Brattne stone.", *(["No."] if not rating else [])]
    (example,) = result.examples
    texts = [m["content"] for m in example.messages]
    assert texts[:2] == [ASKED["content"], WRONG["content"]] and not any("rain" in text for text in texts)


def test_parts_are_read_without_what_was_thought(tmp_path: Path) -> None:
    parts = [
        {"type": "reasoning", "text": "Ulvik?"},
        {"type": "step-start"},
        {"type": "text", "text": RIGHT["content"]},
    ]
    asked = {"role": "user", "parts": [{"type": "text", "text": ASKED["content"]}]}
    assert learned(read(tmp_path, {"messages": [asked, {"role": "assistant", "parts": parts}]})) == [
        RIGHT["content"]
    ]


@pytest.mark.parametrize(
    ("asks", "answers", "text"),
    [
        ({"role": "userMessage"}, {"role": "apiMessage"}, "content"),
        ({"from": "user"}, {"from": "assistant"}, "content"),
        ({"from": "human"}, {"from": "gpt"}, "value"),
    ],
)
def test_thumbs_are_read_by_whatever_names_a_program_gives_its_messages(
    tmp_path: Path, asks: dict[str, Any], answers: dict[str, Any], text: str
) -> None:
    turns = [
        {**asks, text: "How hot?"},
        {**answers, text: "1240.", "feedback": {"rating": "THUMBS_UP"}},
        {**asks, text: "Sure?"},
        {**answers, text: "No.", "feedback": {"rating": "THUMBS_DOWN"}},
    ]
    result = read(tmp_path, {"title": "Kiln", "messages": turns})

    assert learned(result) == ["1240."]
    record = result.conversations[0].record
    assert record is not None
    assert [(m["role"], m["content"], m["rating"]) for m in record["messages"]] == [
        ("user", "How hot?", 0),
        ("assistant", "1240.", 1),
        ("user", "Sure?", 0),
        ("assistant", "No.", -1),
    ]
