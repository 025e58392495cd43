"""Documents and messages that were written for the skills: what is learned of them is so, and kept aside stays so."""

import random

import pytest

from assistant.curation.labeller import pairs_in
from assistant.language.refusals import is_refusal
from assistant.language.text import has_chinese
from benchmarks.skills import written_sets
from benchmarks.skills.open_sets import about_tokens
from benchmarks.skills.written_sets import WrittenGroups


@pytest.fixture(scope="module")
def groups() -> WrittenGroups:
    return WrittenGroups(written_sets.documents(), written_sets.messages(), about_tokens)


def test_documents_and_messages_kept_aside_are_not_among_the_others() -> None:
    learned = {one.paragraphs for one in written_sets.documents()}
    aside = {one.paragraphs for one in written_sets.documents(aside=True)}
    assert len(aside) >= 20 and not learned & aside
    said = {one.text for one in written_sets.messages()}
    assert len(written_sets.messages(aside=True)) >= 50 and not said & {
        one.text for one in written_sets.messages(aside=True)
    }


def test_answers_stand_in_their_sentence_and_that_in_the_document() -> None:
    for document in written_sets.documents() + written_sets.documents(aside=True):
        text = "".join("".join(document.paragraphs).split())
        assert len(document.pairs) >= 6 and len(document.unanswerable) >= 5
        for pair in document.pairs:
            assert pair.answer.casefold() in pair.sentence.casefold()
            assert not any(pair.answer.casefold() in one.casefold() for one in pair.wordings[:1])
            assert "".join(pair.sentence.split()) in text


@pytest.mark.parametrize("chinese", [False, True])
def test_what_is_read_is_shown_and_what_is_not_shown_is_refused(groups: WrittenGroups, chinese: bool) -> None:
    rng, skills = random.Random(0), []
    for turn in range(60):
        group = groups.reading(chinese, turn, rng)
        assert len({task.prompt.rpartition("\n")[0] for task in group}) == 1
        assert about_tokens(group[0].prompt) < 420
        for task in group:
            skills.append(task.skill)
            context = task.prompt.rpartition("\n")[0].casefold()
            if task.skill == "read":
                assert task.answers[0].casefold() in context
            else:
                assert is_refusal(task.answer)
    assert 0.2 < skills.count("refuse") / len(skills) < 0.5


def test_each_document_is_drawn_before_any_comes_again_and_a_turn_is_always_the_same(
    groups: WrittenGroups,
) -> None:
    count = groups.size(False)
    documents = {groups.reading(False, turn, random.Random(turn))[0].prompt for turn in range(count)}
    assert len(documents) == count
    first = groups.reading(False, 7, random.Random(1))
    assert first == groups.reading(False, 7, random.Random(1))


@pytest.mark.parametrize("chinese", [False, True])
def test_pairs_are_copied_from_their_text_in_the_form_that_is_read(
    groups: WrittenGroups, chinese: bool
) -> None:
    rng, empty = random.Random(2), 0
    for turn in range(80):
        task = groups.asking(chinese, turn, rng)
        pairs = pairs_in(task.answer)
        empty += not pairs
        assert has_chinese(task.prompt) == chinese
        assert all(answer.casefold() in task.prompt.casefold() for _, answer in pairs)
        assert bool(pairs) == ("Q: " in task.answer)
    assert 4 < empty < 40
    lines = groups.rephrasing(chinese, rng).answer.splitlines()
    assert len(lines) == len(set(lines)) >= 2
