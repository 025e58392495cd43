"""A real cross-encoder from a folder, tiny and untrained: its order is senseless, and must be kept all the same."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sentence_transformers import CrossEncoder
from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

from knowledge.base.knowledge_base import KnowledgeBase
from knowledge.errors import StoreError
from knowledge.index.embedding_models import DEFAULT_EMBEDDINGS, packaged_folder
from knowledge.index.embeddings import SentenceEmbeddings
from knowledge.search.reranking import CrossEncoderReranker
from knowledge.search.searcher import MAX_RERANKED

QUESTION = "How many lamps has the lighthouse?"
PASSAGES = [f"The lighthouse number {number} of the coast has {number + 3} lamps." for number in range(30)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cross-encoder of one layer with the real tokenizer."""
    folder = tmp_path_factory.mktemp("cross-encoder")
    tokenizer = AutoTokenizer.from_pretrained(packaged_folder(DEFAULT_EMBEDDINGS))
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        num_labels=1,
        initializer_range=0.5,
    )
    torch.manual_seed(0)
    BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def test_scores_are_those_of_the_cross_encoder(model: Path) -> None:
    scores = CrossEncoderReranker(str(model)).score(QUESTION, PASSAGES)
    pairs = [(QUESTION, passage) for passage in PASSAGES]
    expected = CrossEncoder(str(model), device="cpu", local_files_only=True).predict(pairs)
    assert scores.shape == (30,) and np.unique(scores).size > 10
    assert np.corrcoef(scores, expected)[0, 1] > 0.99  # it may compute in bf16


def test_a_text_longer_than_its_window_is_judged_by_its_beginning(model: Path) -> None:
    reranker = CrossEncoderReranker(str(model))
    long = "The lighthouse has many lamps. " * 400
    (score, same) = reranker.score(QUESTION, [long, f"{long}And a cellar."])
    assert np.isfinite(score) and score == same


def test_the_best_passages_come_in_its_order_and_the_rest_stay_behind(
    model: Path, tmp_path: Path, minilm: SentenceEmbeddings
) -> None:
    reranker = CrossEncoderReranker(str(model))
    for number, passage in enumerate(PASSAGES):
        (tmp_path / f"{number}.txt").write_text(passage, encoding="utf-8")
    with KnowledgeBase(tmp_path / "home", embeddings=minilm) as base:
        base.add([tmp_path])
        plain = [hit.passage.source for hit in base.search(QUESTION, 30, min_relevance=0)]
    with KnowledgeBase(tmp_path / "home", embeddings=minilm, reranker=reranker) as base:
        hits = base.search(QUESTION, 30, min_relevance=0)
    found = [hit.passage.source for hit in hits]
    scores = reranker.score(QUESTION, [hit.passage.context_text for hit in hits[:MAX_RERANKED]])
    assert (
        set(found[:MAX_RERANKED]) == set(plain[:MAX_RERANKED])
        and found[:MAX_RERANKED] != plain[:MAX_RERANKED]
    )
    assert (np.diff(scores) < 0.01).all()  # falling; other neighbours in a batch change the last bits
    assert found[MAX_RERANKED:] == plain[MAX_RERANKED:]


def test_a_missing_one_is_named_with_what_to_do(tmp_path: Path) -> None:
    reranker = CrossEncoderReranker(str(tmp_path / "gone"))
    with pytest.raises(StoreError, match=r"gone' cannot be opened .*Give the folder of a cross-encoder"):
        reranker.score(QUESTION, PASSAGES[:1])
    (tmp_path / "empty").mkdir()
    with pytest.raises(StoreError, match="empty' cannot be opened"):
        CrossEncoderReranker(str(tmp_path / "empty")).score(QUESTION, PASSAGES[:1])
