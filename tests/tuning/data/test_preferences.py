"""Preferences: every common file format is read, what is no preference is said, and a written file reads the same."""

import json
from pathlib import Path
from typing import Any

import pytest

from tuning.data.preferences import Judgement, PreferencePair, read_preferences, write_preferences
from tuning.errors import ExampleError

ASKED = ({"role": "user", "content": "How heavy is it?"},)
HH = "\n\nHuman: Hello\n\nAssistant: Hi.\n\nHuman: How heavy is it?\n\nAssistant:"


def said(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


def file_of(path: Path, *records: Any) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in records), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "record",
    [
        {"prompt": "How heavy is it?", "chosen": "3 kg.", "rejected": "2 kg."},
        {"prompt": list(ASKED), "chosen": said("3 kg."), "rejected": said("2 kg.")},
        {"chosen": [*ASKED, *said("3 kg.")], "rejected": [*ASKED, *said("2 kg.")]},
        {"prompt": "How heavy is it?", "chosen": [*ASKED, *said("3 kg.")], "rejected": [*ASKED, *said("2 kg.")]},
        {"conversations": [{"from": "human", "value": "How heavy is it?"}],
         "chosen": {"from": "gpt", "value": "3 kg."}, "rejected": {"from": "gpt", "value": "2 kg."}},
        {"input": {"messages": list(ASKED)}, "preferred_output": said("3 kg."), "non_preferred_output": said("2 kg.")},
        {"instruction": "How heavy is it?", "completions": [
            {"response": "Light.", "overall_score": 5.5}, {"response": "2 kg.", "overall_score": 2},
            {"response": "3 kg.", "overall_score": "9"}]},
    ],
)  # fmt: skip
def test_each_format_gives_the_same_pair(tmp_path: Path, record: dict[str, Any]) -> None:
    found = read_preferences(file_of(tmp_path / "p.jsonl", record))
    (pair,) = found.pairs
    assert (pair.prompt, pair.chosen, pair.rejected) == (ASKED, "3 kg.", "2 kg.")
    assert pair.source == "p.jsonl, line 1"
    assert not found.judgements
    assert not found.complaints


def test_two_transcripts_share_all_but_their_last_answer(tmp_path: Path) -> None:
    record = {"chosen": f"{HH} 3 kg.", "rejected": f"{HH} 2 kg."}
    (pair,) = read_preferences(file_of(tmp_path / "p.jsonl", record)).pairs
    assert [one["content"] for one in pair.prompt] == ["Hello", "Hi.", "How heavy is it?"]
    assert (pair.chosen, pair.rejected) == ("3 kg.", "2 kg.")


@pytest.mark.parametrize(("label", "good"), [(True, True), (0, False), ("false", False), (1, True)])
def test_a_labelled_answer_is_a_judgement(tmp_path: Path, label: object, good: bool) -> None:
    record = {"prompt": "How heavy is it?", "completion": "3 kg.", "label": label}
    (judgement,) = read_preferences(file_of(tmp_path / "p.jsonl", record)).judgements
    assert judgement == Judgement(ASKED, "3 kg.", good, "p.jsonl, line 1")


def test_a_table_is_read_by_the_names_of_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text('prompt,chosen,rejected\nHow heavy is it?,3 kg.,"2 kg, about"\n', encoding="utf-8")
    (pair,) = read_preferences(path).pairs
    assert (pair.prompt, pair.chosen, pair.rejected) == (ASKED, "3 kg.", "2 kg, about")


def test_what_was_written_reads_the_same(tmp_path: Path) -> None:
    system = ({"role": "system", "content": "Be brief."}, *ASKED)
    pairs = [
        PreferencePair(system, "3 kg.\nNet.", "2 kg.", "blind vote"),
        PreferencePair(ASKED, "三公斤", "两公斤"),
    ]
    judged = [Judgement(ASKED, "3 kg.", False, "thumb")]
    write_preferences(tmp_path / "p.jsonl", pairs, judged)
    found = read_preferences(tmp_path / "p.jsonl")
    assert [one.key for one in found.pairs] == [one.key for one in pairs]
    assert [one.source for one in found.pairs] == ["blind vote", "p.jsonl, line 2"]
    assert list(found.judgements) == judged


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"prompt": "Q", "chosen": "A", "rejected": "A"}, "both answers are 'A'"),
        ({"prompt": "Q", "chosen": "A", "rejected": " "}, "one of its answers is empty"),
        ({"chosen": "A", "rejected": "B"}, "has no question before it"),
        ({"prompt": "Q", "completion": "A", "label": "perhaps"}, "label must be true or false; found 'perhaps'"),
        ({"instruction": "Q", "completions": [{"response": "A", "score": 1}, {"response": "B", "score": 1}]},
         "have the same score, 1"),
        ({"chosen": f"{HH} A\n\nHuman: So?\n\nAssistant: Yes", "rejected": f"{HH} B"}, "differ before their last"),
        ({"prompt": 3, "chosen": [[]], "rejected": [None]}, "one of its answers is empty"),
        ({"question": "Q"}, 'it is no preference: found "question"'),
        (7, "it is no preference: found 7"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_left_out_with_its_line_and_reason(
    tmp_path: Path, record: object, said: str
) -> None:
    good = {"prompt": "How heavy?", "chosen": "3 kg.", "rejected": "2 kg."}
    found = read_preferences(file_of(tmp_path / "p.jsonl", good, record))
    assert len(found.pairs) == 1
    (complaint,) = found.complaints
    assert complaint.place == "p.jsonl, line 2"
    assert said in complaint.reason
    with pytest.raises(ExampleError, match="holds no preference that can be read"):
        read_preferences(file_of(tmp_path / "none.jsonl", record))


def test_a_pair_needs_a_question_and_two_different_answers() -> None:
    with pytest.raises(ExampleError, match="two different answers"):
        PreferencePair(ASKED, "yes", "yes ")
    with pytest.raises(ExampleError, match="one to 'How heavy is it"):
        PreferencePair(ASKED, "yes", "")
    with pytest.raises(ExampleError, match="must end with a user message"):
        PreferencePair(({"role": "assistant", "content": "q"},), "yes", "no")
    with pytest.raises(ExampleError, match="that was judged is empty"):
        Judgement(ASKED, "", True)
