"""The sample domain: what it promises about itself, and that its parts agree."""

import json
import re
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from knowledge.ingest.document import read_document
from tuning.augment.replay_prompts import REPLAY_PROMPTS
from tuning.evaluation.retention_questions import RETENTION

DOMAIN = Path(__file__).parents[1] / "assistant" / "sample"
DOCUMENTS = DOMAIN / "documents"


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DOMAIN / name).read_text(encoding="utf-8").splitlines()]


def words(text: str) -> str:
    """Text reduced to its letters and digits, so that only the words count."""
    text = unicodedata.normalize("NFKC", text).lower()
    return " ".join(re.findall(r"\w+", text))


FACTS = rows("facts.jsonl")
QUESTIONS = rows("questions.jsonl")
EXAMPLES = rows("examples.jsonl")
CONVERSATION = json.loads((DOMAIN / "conversation.json").read_text(encoding="utf-8"))


def of(*slices: str) -> list[dict[str, Any]]:
    return [row for row in QUESTIONS if row["slice"] in slices]


def training_text() -> list[str]:
    """Every text that tuning on the conversation or on the examples can see."""
    texts = [message["content"] for message in CONVERSATION["messages"]]
    texts += [message["correction"] for message in CONVERSATION["messages"] if message.get("correction")]
    return texts + [message["content"] for example in EXAMPLES for message in example["messages"]]


def test_domain_has_the_promised_size() -> None:
    suffixes = {path.suffix for path in DOCUMENTS.iterdir()}
    assert suffixes == {".md", ".txt", ".pdf", ".docx", ".html", ".csv"}
    assert len(list(DOCUMENTS.iterdir())) >= 6
    assert len(FACTS) >= 60
    assert 20 <= sum(fact["taught"] for fact in FACTS) <= 24
    assert len(of("general")) >= 30


def test_facts_and_questions_are_unique_and_complete() -> None:
    assert len({fact["id"] for fact in FACTS}) == len(FACTS)
    assert len({words(row["question"]) for row in QUESTIONS}) == len(QUESTIONS)
    assert {row["slice"] for row in QUESTIONS} == {"training", "rephrased", "not taught", "general"}
    known = {fact["id"]: fact for fact in FACTS}
    for row in of("training", "rephrased", "not taught"):
        fact = known[row["fact"]]
        assert (row["answers"], row["document"]) == (fact["answers"], fact["document"])
        assert fact["taught"] == (row["slice"] != "not taught")
    assert all(row["fact"] is None and row["answers"] for row in of("general"))


def test_each_fact_has_two_rephrasings() -> None:
    counts = Counter(row["fact"] for row in of("rephrased", "not taught"))
    assert {fact["id"] for fact in FACTS if counts[fact["id"]] < 2} == set()


def test_rephrasings_occur_nowhere_in_the_training_text() -> None:
    seen = [words(text) for text in training_text()]
    own = {words(fact["question"]) for fact in FACTS}
    for row in of("rephrased", "not taught"):
        asked = words(row["question"])
        assert asked not in own
        assert not any(asked in text for text in seen), row["question"]


@pytest.mark.parametrize("name", sorted({fact["document"] for fact in FACTS}))
def test_each_answer_stands_in_its_document(name: str) -> None:
    text = words(" ".join(section.text for section in read_document(DOCUMENTS / name).sections))
    for fact in (fact for fact in FACTS if fact["document"] == name):
        assert any(words(answer) in text for answer in fact["answers"]), fact["statement"]


def test_one_document_is_entirely_chinese() -> None:
    text = (DOCUMENTS / "tolva-manual-zh.md").read_text(encoding="utf-8")
    letters = [char for char in text if char.isalpha()]
    assert sum("\u4e00" <= char <= "\u9fff" for char in letters) > 0.98 * len(letters)


def test_conversation_corrects_exactly_the_taught_facts() -> None:
    """Each taught question ends in its right answer, corrected or liked; one dislike is left open."""
    taught = {fact["question"]: fact for fact in FACTS if fact["taught"]}
    messages, learned = CONVERSATION["messages"], {}
    assert [message["role"] for message in messages] == ["user", "assistant"] * (len(messages) // 2)
    for asked, said in zip(messages[::2], messages[1::2], strict=True):
        if said["correction"]:
            assert said["rating"] == -1
            learned[asked["content"]] = said["correction"]
        elif said["rating"] == 1:
            learned[asked["content"]] = said["content"]
        else:
            assert said["rating"] == -1 and asked["content"] not in taught
    assert set(learned) == set(taught)
    for question, answer in learned.items():
        assert words(answer) in {words(accepted) for accepted in taught[question]["answers"]}


def test_examples_teach_the_same_as_the_conversation() -> None:
    taught = {fact["question"]: fact for fact in FACTS if fact["taught"]}
    assert [example["messages"][0]["content"] for example in EXAMPLES] == list(taught)
    for example in EXAMPLES:
        question, answer = example["messages"]
        assert (question["role"], answer["role"]) == ("user", "assistant")
        assert words(answer["content"]) == words(taught[question["content"]]["answers"][0])


def test_wrong_answers_are_wrong() -> None:
    taught = {fact["question"]: fact for fact in FACTS if fact["taught"]}
    messages = CONVERSATION["messages"]
    for asked, said in zip(messages[::2], messages[1::2], strict=True):
        if said["correction"]:
            accepted = taught[asked["content"]]["answers"]
            assert not any(f" {words(answer)} " in f" {words(said['content'])} " for answer in accepted)


def test_general_questions_are_neither_replayed_nor_the_retention_set() -> None:
    used = {words(prompt) for prompt in REPLAY_PROMPTS} | {words(question) for question, _ in RETENTION}
    assert {row["question"] for row in of("general") if words(row["question"]) in used} == set()
