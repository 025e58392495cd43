"""The packed multilingual weights become a model that sentence-transformers opens, value for value."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file

from knowledge.errors import StoreError
from knowledge.index import embedding_models
from knowledge.index.embedding_models import FETCHED, MULTILINGUAL, FetchedModel, folder_of_fetched
from knowledge.index.embeddings import SentenceEmbeddings, open_embeddings
from knowledge.index.packed_weights import convert
from tests.knowledge.packed_files import HIDDEN, PIECES, write_packed


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, np.ndarray], Path]:
    """The packed file, what its tensors are worth, and the folder that was made of it."""
    place = tmp_path_factory.mktemp("packed")
    worth = write_packed(place / "weights.bin")
    convert(place / "weights.bin", sha256(place / "weights.bin"), place / "tiny-multilingual-e5")
    return place / "weights.bin", worth, place / "tiny-multilingual-e5"


def test_every_weight_keeps_its_value(packed: tuple[Path, dict[str, np.ndarray], Path]) -> None:
    _, worth, folder = packed
    made = {name: tensor.float().numpy() for name, tensor in load_file(folder / "model.safetensors").items()}
    assert np.allclose(made["embeddings.word_embeddings.weight"], worth["emb.word"], rtol=0.005)
    layer = "encoder.layer.0."
    assert np.allclose(made[f"{layer}intermediate.dense.weight"], worth["l0.fi.w"], rtol=0.005)
    assert np.allclose(made[f"{layer}attention.output.LayerNorm.weight"], worth["l0.aln.w"], rtol=0.005)
    assert len(made) == len(worth) + 2  # and a pooler that is not used


def test_the_folder_is_opened_with_its_tokens_and_prefixes(
    packed: tuple[Path, dict[str, np.ndarray], Path],
) -> None:
    opened = SentenceEmbeddings(str(packed[2]), device="cpu")
    assert opened.tokenizer.encode("passage: kettle\u200btea").tokens == [
        "<s>",
        "▁passage",
        ":",
        "▁kettle",
        "▁tea",
        "</s>",
    ]
    assert opened.tokenizer.encode("图书馆").tokens == ["<s>", "▁", "图书", "馆", "</s>"]
    vectors = opened.encode(["kettle", "tea tea"])
    assert vectors.shape == (2, HIDDEN) and np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)
    assert not np.allclose(opened.encode_query("kettle"), vectors[0])  # another prefix
    assert opened.fluency("kettle tea") == 1.0 and opened.fluency("ΩΩ kettle") == 0.5


def test_other_weights_are_refused_and_nothing_is_left(tmp_path: Path) -> None:
    write_packed(tmp_path / "weights.bin")
    with pytest.raises(StoreError, match="these are other weights"):
        convert(tmp_path / "weights.bin", "0" * 64, tmp_path / "model")
    assert [one.name for one in tmp_path.iterdir()] == ["weights.bin"]


def test_a_fetched_model_is_checked_whenever_it_is_opened(
    packed: tuple[Path, dict[str, np.ndarray], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, _, folder = packed
    pinned = FetchedModel(
        "tiny", "1", "tiny/weights.bin", sha256(source), sha256(folder / "model.safetensors"), 1
    )
    monkeypatch.setitem(FETCHED, MULTILINGUAL, pinned)
    with pytest.raises(
        StoreError, match=r"not on this machine yet\. Fetch it once with `imprint setup --multilingual`"
    ):
        open_embeddings(MULTILINGUAL, tmp_path, "cpu").encode_query("kettle")
    target = folder_of_fetched(MULTILINGUAL, tmp_path)
    convert(source, pinned.source_sha256, target)
    opened = open_embeddings(MULTILINGUAL, tmp_path, "cpu")
    assert opened.name == MULTILINGUAL and opened.encode_query("kettle").shape == (HIDDEN,)
    with (target / "model.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x7f")
    with pytest.raises(StoreError, match="the weights were changed"):
        embedding_models.load_model(MULTILINGUAL, "cpu", home=tmp_path)


def test_the_pieces_are_those_of_the_file(packed: tuple[Path, dict[str, np.ndarray], Path]) -> None:
    vocabulary = SentenceEmbeddings(str(packed[2]), device="cpu").tokenizer.get_vocab()
    assert sorted(vocabulary, key=vocabulary.__getitem__) == PIECES
