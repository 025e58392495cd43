"""Exchanging words: only whole words of the table, as often as asked, the same for the same seed."""

import random

from tuning.augment.synonyms import exchange, exchange_chinese


def test_known_words_are_exchanged_and_names_stay() -> None:
    question = "Who founded the Kestrel museum?"
    said = {exchange(question, 1.0, random.Random(seed)) for seed in range(20)}
    assert len(said) > 2
    assert all("Kestrel museum" in one and "founded" not in one for one in said)
    assert exchange(question, 0.0, random.Random(0)) == question
    assert exchange(question, 0.5, random.Random(3)) == exchange(question, 0.5, random.Random(3))


def test_chinese_question_words_are_exchanged() -> None:
    found = {exchange_chinese("望海塔什么时候开门", 1.0, random.Random(seed)) for seed in range(20)}
    assert found == {f"望海塔{when}开门" for when in ("啥时候", "几时", "何时", "什么时间")}
    assert exchange_chinese("望海塔什么时候开门", 0.0, random.Random(0)) == "望海塔什么时候开门"
