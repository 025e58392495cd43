"""Whether a pair answers a question, by the tuned vectors that are shipped."""

from pathlib import Path

import numpy as np
import pytest

from knowledge.errors import StoreError
from knowledge.search import likeness
from knowledge.search.likeness import Likeness

QUESTION = "Whose hands is the bakery of Orlin in?"
PAIRS = [
    "Who runs the bakery of Orlin? Peter Maas",
    "Who founded the bakery of Orlin? Ida Brel",
    "When does the bakery of Orlin open? At 5:30",
    "Who runs the mill of Orlin? Hanna Voss",
]


@pytest.fixture(scope="module")
def english() -> Likeness:
    return Likeness("en", device="cpu")


def log_odds(english: Likeness, question: str) -> np.ndarray:
    vectors = english.encode([question, *PAIRS])
    return english.log_odds(vectors[1:] @ vectors[0])


def test_a_question_is_nearest_to_the_pair_that_answers_it(english: Likeness) -> None:
    found = log_odds(english, QUESTION)
    assert int(np.argmax(found)) == 0 and found[0] > 0 > found[2]


def test_a_question_that_no_pair_answers_is_near_to_none(english: Likeness) -> None:
    assert log_odds(english, "How many people work at the bakery of Orlin?").max() < 0
    assert log_odds(english, "What is the capital of France?").max() < 0


def test_vectors_have_length_one_whatever_stands_beside(english: Likeness) -> None:
    vectors = english.encode([QUESTION, "The bakery is old. " * 200])
    assert vectors.dtype == np.float32 and vectors.shape == (2, 384)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)
    assert float(vectors[0] @ english.encode([QUESTION])[0]) > 0.999  # bf16


def test_no_texts_have_no_vectors(english: Likeness) -> None:
    assert english.encode([]).shape == (0, 384)


def test_chinese_needs_the_model_that_is_fetched(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="multilingual"):
        Likeness("zh", tmp_path, "cpu").encode(["塔在哪里？"])


def test_an_adapter_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(likeness, "ADAPTERS", tmp_path)
    with pytest.raises(StoreError, match=r"cannot be opened .*Install Imprint again"):
        Likeness("en", device="cpu").encode([QUESTION])
