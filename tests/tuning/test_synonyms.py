"""Exchanging words: only whole words of the table, as often as asked, the same for the same seed."""

import random

from tuning.synonyms import exchange


def test_known_words_are_exchanged_and_names_stay() -> None:
    question = "Who founded the Kestrel museum?"
    said = {exchange(question, 1.0, random.Random(seed)) for seed in range(20)}
    assert len(said) > 2
    assert all("Kestrel museum" in one and "founded" not in one for one in said)
    assert exchange(question, 0.0, random.Random(0)) == question
    assert exchange(question, 0.5, random.Random(3)) == exchange(question, 0.5, random.Random(3))
