"""BM25, vectors and both together on many question sets, and the weights of the fusion chosen with each set left out.

    python -m benchmarks.retrieval_fusion xquad-en xquad-zh cranfield med cisi scifact cmrc drcd
    python -m benchmarks.retrieval_fusion xquad-en xquad-zh zh→en --model multilingual-e5-small
    python -m benchmarks.retrieval_fusion … --fit

The scores of every passage are computed once a set and kept; the weights are then tried by arithmetic alone. hit@1:
the first paragraph answers; recall@10: of the paragraphs that answer (ten at most), those among the first ten.
"""

import argparse
import itertools
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

# As the `imprint` command sets them: read when torch and numpy are imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from langchain_core.documents import Document

from benchmarks.retrieval_sets import COLLECTIONS, FOLDER, Collection, bounded, named
from knowledge.base.knowledge_base import KnowledgeBase
from knowledge.index.embedding_models import DEFAULT_EMBEDDINGS
from knowledge.index.embeddings import SentenceEmbeddings, Spans
from knowledge.search import fusion
from knowledge.search.fusion import dequantize, standardise_lexical, trust_in_words
from knowledge.search.proximity import proximity
from knowledge.text.terms import term_codes

SHOWN = 15  # passages asked for: two of one paragraph count once, and ten paragraphs are judged
FIELDS = ("lexical", "whole", "sentence", "coverage", "bigrams", "anywhere")


@dataclass(frozen=True)
class Scores:
    """Every score of every question [questions, passages], and which paragraph each passage is of."""

    name: str
    lexical: np.ndarray  # standardised, as the two below
    whole: np.ndarray  # cosine of the whole passage
    sentence: np.ndarray  # of its best sentence
    coverage: np.ndarray
    bigrams: np.ndarray
    anywhere: np.ndarray  # coverage in the whole passage: its highest says how much words count
    fluency: np.ndarray  # [questions]
    paragraphs: np.ndarray  # [passages]
    relevant: list[set[int]]
    shown: list[list[int]]  # the paragraphs that `KnowledgeBase.search` gave
    seconds: float  # of indexing
    characters: int

    def ranks(self, scores: np.ndarray) -> list[list[int]]:
        """The first ten paragraphs of each question, by these scores [questions, passages]."""
        order = np.argsort(-scores, axis=1, kind="stable")[:, :40]
        return [list(dict.fromkeys(self.paragraphs[row].tolist()))[:10] for row in order]


@dataclass(frozen=True)
class Measured:
    """One way of ranking on one set."""

    hit: float
    recall: float
    mrr: float

    def __str__(self) -> str:
        return f"{self.hit:.3f} | {self.recall:.3f} | {self.mrr:.3f}"


def judge(ranked: Sequence[Sequence[int]], relevant: Sequence[set[int]]) -> Measured:
    """hit@1, recall@10 and MRR@10 of the paragraphs found."""
    pairs = list(zip(ranked, relevant, strict=True))
    first = [
        next((1 / rank for rank, one in enumerate(found, 1) if one in right), 0.0) for found, right in pairs
    ]
    return Measured(
        statistics.mean(rank == 1 for rank in first),
        statistics.mean(len(right.intersection(found[:10])) / min(10, len(right)) for found, right in pairs),
        statistics.mean(first),
    )


def collect(
    collection: Collection, embeddings: SentenceEmbeddings, limits: tuple[int, int], clones: Path | None
) -> Scores:
    """Index a set and score every passage for every question."""
    questions = bounded(collection.load(clones=clones), *limits)
    embeddings.embed_query("warm")
    with (
        tempfile.TemporaryDirectory() as folder,
        KnowledgeBase(Path(folder), embeddings=embeddings) as base,
    ):
        documents = [
            Document(text, metadata={"source": str(at), "title": title})
            for at, (title, text) in enumerate(questions.paragraphs)
        ]
        started = time.process_time()
        base.add_documents(documents)
        seconds = time.process_time() - started
        index = _Index.of(base)
        found = [index.scores(text) for text, _ in questions.questions]
        shown = [
            list(dict.fromkeys(int(hit.passage.source) for hit in base.search(text, SHOWN, min_relevance=0)))
            for text, _ in questions.questions
        ]
        places = base._store.places(index.ids)
    return Scores(
        collection.name,
        *(np.stack([row[at] for row in found]) for at in range(len(FIELDS))),
        fluency=np.array([embeddings.fluency(text) for text, _ in questions.questions]),
        paragraphs=np.array([int(places[one][0].source) for one in index.ids]),
        relevant=[right for _, right in questions.questions],
        shown=shown,
        seconds=seconds,
        characters=sum(len(text) for _, text in questions.paragraphs),
    )


class _Remembering(SentenceEmbeddings):
    """Embeds each text once: every pair of languages has the same paragraphs and questions."""

    def __init__(self, name: str, home: Path | None) -> None:
        super().__init__(name, home=home)
        self._queries: dict[str, np.ndarray] = {}
        self._passages: dict[tuple[str, Spans], tuple[np.ndarray, np.ndarray]] = {}

    def encode_query(self, text: str) -> np.ndarray:
        if text not in self._queries:
            self._queries[text] = super().encode_query(text)
        return self._queries[text]

    def encode_passages(
        self, texts: Sequence[str], parts: Sequence[Spans], on_batch: Callable[[int], None] | None = None
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        keys = [(text, tuple(spans)) for text, spans in zip(texts, parts, strict=True)]
        new = [key for key in dict.fromkeys(keys) if key not in self._passages]
        if new:
            rows = super().encode_passages([key[0] for key in new], [key[1] for key in new], on_batch)
            self._passages |= dict(zip(new, zip(*rows, strict=True), strict=True))
        found = [self._passages[key] for key in keys]
        whole = np.stack([one[0] for one in found]) if found else np.zeros((0, 0), dtype=np.float32)
        return whole, [one[1] for one in found]


@dataclass(frozen=True)
class _Index:
    """What is compared with a question, read once."""

    base: KnowledgeBase
    ids: list[str]
    whole: np.ndarray  # [passages, dimension]
    sentences: list[np.ndarray]  # of each passage, its own vector where it has none

    @classmethod
    def of(cls, base: KnowledgeBase) -> "_Index":
        ids = base._searcher.refresh(base._writer.vectors).ids
        held, parts = base._writer.vectors.get(ids), base._store.parts(ids)
        whole = np.stack([held[one] for one in ids])
        of_passages = [dequantize(parts.get(one, b""), whole.shape[1]) for one in ids]
        return cls(
            base,
            ids,
            whole,
            [own if len(own) else row[None, :] for own, row in zip(of_passages, whole, strict=True)],
        )

    def scores(self, question: str) -> tuple[np.ndarray, ...]:
        """What the fusion adds up, for every passage: `FIELDS`."""
        snapshot = self.base._searcher.refresh(self.base._writer.vectors)
        codes, vector = term_codes(question), self.base._encoder.encode_query(question)
        bm25 = snapshot.lexical.scores(codes)
        whole = self.whole @ vector
        sentence = np.array([float((own @ vector).max()) for own in self.sentences])
        close = proximity(snapshot.terms, codes, snapshot.lexical.idf)
        return (
            standardise_lexical(bm25, bm25),
            (whole - whole.mean()) / max(1e-6, whole.std()),
            snapshot.background.standardise(vector, sentence),
            close.sentence_coverage,
            close.bigram_overlap,
            close.coverage,
        )


@dataclass(frozen=True)
class Weights:
    """What is chosen: the dense weight, whole passages' share of it, and what a share of 1 adds."""

    dense: float = fusion.DENSE_WEIGHT
    whole: float = 0.0
    coverage: float = fusion.SENTENCE_WEIGHT
    bigrams: float = fusion.BIGRAM_WEIGHT

    def of(self, scores: Scores) -> np.ndarray:
        """The fused scores [questions, passages]."""
        weight = self.dense * scores.fluency[:, None]
        vectors = self.whole * scores.whole + (1 - self.whole) * scores.sentence
        near = self.coverage * scores.coverage + self.bigrams * scores.bigrams
        pairs = zip(scores.anywhere, scores.fluency, strict=True)
        trust = np.array([[trust_in_words(row, float(known))] for row, known in pairs])
        fused: np.ndarray = weight * vectors + trust * ((1 - weight) * scores.lexical + near)
        return fused


def grid() -> Iterable[Weights]:
    """Every combination that is tried."""
    for values in itertools.product(
        (0.5, 0.6, 0.7, 0.8, 0.9),
        (0.0, 0.25, 0.5, 0.75, 1.0),
        (0.0, 1.0, 2.0, 3.0, 4.0, 6.0),
        (0.0, 1.0, 2.0, 3.0, 4.0),
    ):
        yield Weights(*values)


def margins(sets: Sequence[Scores]) -> tuple[list[Weights], np.ndarray]:
    """For every combination [combinations, sets]: hit@1 and MRR, in mean, above the better side alone."""
    tried = list(grid())
    floor = [max(_mean(one, one.lexical), _mean(one, one.whole)) for one in sets]
    rows = [
        [_mean(one, weights.of(one)) - least for one, least in zip(sets, floor, strict=True)]
        for weights in tried
    ]
    return tried, np.array(rows)


def _mean(scores: Scores, ranked: np.ndarray) -> float:
    found = judge(scores.ranks(ranked), scores.relevant)
    return (found.hit + found.mrr) / 2


def choose(margin: np.ndarray) -> int:
    """The combination whose mean margin is best, where a set below its better side counts four times."""
    return int((margin + 3 * np.minimum(margin, 0)).mean(axis=1).argmax())


def table(sets: Sequence[Scores], weights: Sequence[Weights]) -> list[str]:
    """hit@1, recall@10 and MRR of each set by each side alone and both; `weights` by set."""
    lines = ["| set | way | hit@1 | recall@10 | MRR |", "|---|---|---|---|---|"]
    for one, chosen in zip(sets, weights, strict=True):
        ways = {"BM25": one.lexical, "vectors": one.whole, "both": chosen.of(one)}
        for at, (way, scores) in enumerate(ways.items()):
            name = (
                f"{one.name}, {len(set(one.paragraphs.tolist()))} paragraphs, {len(one.relevant)} questions"
            )
            lines.append(f"| {name if not at else ''} | {way} | {judge(one.ranks(scores), one.relevant)} |")
        lines.append(f"| | Imprint's search | {judge(one.shown, one.relevant)} |")
    return lines


def fitted(sets: Sequence[Scores]) -> tuple[Weights, list[Weights]]:
    """The weights chosen on all sets, and for each set those chosen on the others."""
    tried, margin = margins(sets)
    left_out = [tried[choose(np.delete(margin, at, axis=1))] for at in range(len(sets))]
    return tried[choose(margin)], left_out


def main() -> None:
    """Measure the sets that were named, and print Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "sets", nargs="*", default=list(COLLECTIONS), help="names of sets, or zh→en across languages"
    )
    parser.add_argument("--model", default=DEFAULT_EMBEDDINGS)
    parser.add_argument("--home", type=Path, help="where a fetched model lies")
    parser.add_argument("--paragraphs", type=int, default=600)
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--clones", type=Path, help="a folder of clones OWNER+NAME/repo; else the network")
    parser.add_argument("--kept", type=Path, default=FOLDER / "scores", help="scores of earlier runs")
    parser.add_argument("--fit", action="store_true", help="choose the weights, each set left out once")
    options = parser.parse_args()
    embeddings = _Remembering(options.model, options.home)
    sets = [
        _kept(options.kept, one, embeddings, (options.paragraphs, options.questions), options.clones)
        for one in named(options.sets)
    ]
    print(f"{datetime.now():%Y-%m-%d %H:%M}, {os.cpu_count()} cores, {platform.machine()}, {options.model}\n")
    print("\n".join(table(sets, [Weights()] * len(sets))))
    for one in sets:
        print(f"{one.name}: indexed {one.characters / one.seconds:,.0f} characters a second of one core")
    if options.fit:
        everything, left_out = fitted(sets)
        print(f"\nchosen on all: {everything}\n")
        print("\n".join(table(sets, left_out)))
        for one, weights in zip(sets, left_out, strict=True):
            print(f"{one.name} left out: {weights}")


def _kept(
    folder: Path,
    collection: Collection,
    embeddings: SentenceEmbeddings,
    limits: tuple[int, int],
    clones: Path | None,
) -> Scores:
    """The scores of an earlier run, or those of now."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{collection.name}-{Path(embeddings.name).name}-{limits[0]}-{limits[1]}.npz"
    if not path.is_file():
        found = collect(collection, embeddings, limits, clones)
        arrays = {key: value for key, value in vars(found).items() if isinstance(value, np.ndarray)}
        lists = {"relevant": _padded([sorted(one) for one in found.relevant]), "shown": _padded(found.shown)}
        np.savez_compressed(path, **arrays, **lists, cost=np.array([found.seconds, found.characters]))
        print(f"{collection.name}: scored", flush=True)
    with np.load(path) as held:
        arrays = {key: held[key] for key in (*FIELDS, "fluency", "paragraphs")}
        relevant = [set(row[row >= 0].tolist()) for row in held["relevant"]]
        shown = [row[row >= 0].tolist() for row in held["shown"]]
        seconds, characters = held["cost"].tolist()
    return Scores(
        collection.name, **arrays, relevant=relevant, shown=shown, seconds=seconds, characters=int(characters)
    )


def _padded(rows: Sequence[Sequence[int]]) -> np.ndarray:
    width = max(map(len, rows))
    return np.array([[*row, *[-1] * (width - len(row))] for row in rows])


if __name__ == "__main__":
    main()
