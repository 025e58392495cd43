"""Retrieval measured beside the standard LangChain pipeline, on the same paragraphs in the same run.

    python -m benchmarks.retrieval --squad dev-v1.1.json --held-out --squad cmrc2018_dev.json
    python -m benchmarks.retrieval --trec cran.all.1400 cran.qry cranqrel
    python -m benchmarks.retrieval --sizes 1000 10000 100000

The pipeline: RecursiveCharacterTextSplitter 1000/200 → the same MiniLM through sentence-transformers at its
defaults → Chroma → similarity search. A question counts as answered when a chunk of its own paragraph comes
first (recall@1), among the first five paragraphs (recall@5), or earlier (MRR@10).
"""

import argparse
import os
import platform
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

# As the `imprint` command sets them: read when torch and numpy are imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings

from benchmarks.retrieval_sets import QuestionSet, read_squad, read_trec
from knowledge.base.knowledge_base import KnowledgeBase
from knowledge.index.bm25 import LexicalIndex
from knowledge.index.embedding_models import DEFAULT_EMBEDDINGS, packaged_folder
from knowledge.index.embeddings import MAX_PASSAGE_TOKENS, SentenceEmbeddings
from knowledge.index.records import DocumentInfo, Place, StoredDocument, StoredText
from knowledge.search.fusion import quantize
from knowledge.text.sentences import sentence_spans
from knowledge.text.terms import passage_codes, term_codes

SENTENCES = 6  # of a made-up passage, with a vector each
SHOWN = 15  # passages asked for: two of one paragraph count once, and ten paragraphs are judged


@dataclass(frozen=True)
class Result:
    """One system on one question set."""

    system: str
    recall_1: float
    recall_5: float
    mrr_10: float
    passages_per_second: float
    p50_ms: float
    p95_ms: float


class PlainMiniLM(Embeddings):
    """What the standard pipeline embeds with: sentence-transformers at its defaults."""

    def __init__(self) -> None:
        from sentence_transformers import SentenceTransformer

        self.model = SentenceTransformer(
            str(packaged_folder(DEFAULT_EMBEDDINGS)), device="cpu", local_files_only=True
        )

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        rows: list[list[float]] = self.model.encode(texts, show_progress_bar=False).tolist()
        return rows

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]


def run_pipeline(questions: QuestionSet, folder: Path) -> Result:
    """The standard LangChain pipeline."""
    from langchain_chroma import Chroma
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    embeddings = PlainMiniLM()
    embeddings.embed_query("warm")
    splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200)
    started = time.perf_counter()
    chunks = splitter.split_documents(
        [Document(text, metadata={"paragraph": at}) for at, (_, text) in enumerate(questions.paragraphs)]
    )
    store = Chroma("pipeline", embeddings, persist_directory=str(folder))
    for start in range(0, len(chunks), 1000):
        store.add_documents(chunks[start : start + 1000])
    seconds = time.perf_counter() - started

    def search(question: str) -> list[int]:
        return [found.metadata["paragraph"] for found in store.similarity_search(question, k=SHOWN)]

    return _measure("LangChain pipeline", questions, search, len(questions.paragraphs) / seconds)


def run_imprint(questions: QuestionSet, folder: Path, embeddings: SentenceEmbeddings) -> list[Result]:
    """Our knowledge base, and plain BM25 over its passages."""
    embeddings.embed_query("warm")
    with KnowledgeBase(folder, embeddings=embeddings) as base:
        documents = [
            Document(text, metadata={"source": str(at), "title": title})
            for at, (title, text) in enumerate(questions.paragraphs)
        ]
        started = time.perf_counter()
        base.add_documents(documents)
        speed = len(documents) / (time.perf_counter() - started)

        def search(question: str) -> list[int]:
            hits = base.search(question, SHOWN, min_relevance=0)
            return [int(hit.passage.source) for hit in hits]

        ids = base._store.passage_ids()
        texts = base._store.texts(ids)
        places = base._store.places(ids)
        index = LexicalIndex([texts[one].terms for one in ids])

        def by_words(question: str) -> list[int]:
            best = np.argsort(-index.scores(term_codes(question)), kind="stable")[:SHOWN]
            return [int(places[ids[row]][0].source) for row in best]

        return [
            _measure("plain BM25", questions, by_words, float("nan")),
            _measure(f"Imprint, {embeddings.passage_tokens} tokens", questions, search, speed),
        ]


def _measure(system: str, questions: QuestionSet, search: Callable[[str], list[int]], speed: float) -> Result:
    ranks: list[float] = []
    seconds: list[float] = []
    for question, right in questions.questions:
        started = time.perf_counter()
        found = list(dict.fromkeys(search(question)))[:10]
        seconds.append(time.perf_counter() - started)
        ranks.append(next((rank for rank, one in enumerate(found, 1) if one in right), float("inf")))
    p50, p95 = np.percentile(seconds, [50, 95]) * 1000
    return Result(
        system,
        statistics.mean(rank <= 1 for rank in ranks),
        statistics.mean(rank <= 5 for rank in ranks),
        statistics.mean(1 / rank for rank in ranks),
        speed,
        p50,
        p95,
    )


def measure_sizes(sizes: Sequence[int], embeddings: SentenceEmbeddings) -> list[str]:
    """Query times and memory: made-up words in the proportions of a language, random unit vectors."""
    lines = [
        "| passages | index on disk, MiB | process, MiB | first search, s | p50, ms | p95, ms |",
        "|---|---|---|---|---|---|",
    ]
    rng = np.random.default_rng(0)
    for size in sizes:
        folder = Path(tempfile.mkdtemp())
        with KnowledgeBase(folder, embeddings=embeddings) as base:
            words = np.array([f"w{rank}" for rank in range(50_000)])
            for start in range(0, size, 5000):
                _store_synthetic(base, rng, words, start, min(5000, size - start))
            questions = [
                " ".join(words[np.minimum(rng.zipf(1.3, 9), len(words)) - 1]) + " how many?"
                for _ in range(200)
            ]
            started = time.perf_counter()
            base.search("warm", min_relevance=0)
            first = time.perf_counter() - started
            seconds: list[float] = []
            for question in questions:
                started = time.perf_counter()
                base.search(question, 4, min_relevance=0)
                seconds.append(time.perf_counter() - started)
            p50, p95 = np.percentile(seconds, [50, 95]) * 1000
        disk = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 2**20
        memory = _resident_mib()
        lines.append(f"| {size:,} | {disk:,.0f} | {memory:,.0f} | {first:.2f} | {p50:.1f} | {p95:.1f} |")
        shutil.rmtree(folder)
    return lines


def _store_synthetic(
    base: KnowledgeBase, rng: np.random.Generator, words: np.ndarray, first: int, count: int
) -> None:
    vectors = rng.normal(size=(count, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    texts: list[StoredText] = []
    for number in range(first, first + count):
        drawn = words[np.minimum(rng.zipf(1.3, SENTENCES * 20), len(words)) - 1].reshape(SENTENCES, 20)
        text = " ".join(f"{' '.join(sentence)}." for sentence in drawn) + f" N{number}."
        codes = passage_codes(text, sentence_spans(text))
        parts = quantize(rng.normal(size=(SENTENCES, 384)).astype(np.float32))
        texts.append(StoredText(f"{number:032x}", text, text, codes, parts))
    identity = f"synthetic-{first}"
    places = tuple(
        Place(text.id, identity, at, identity, "", None, (), 0, len(text.text))
        for at, text in enumerate(texts)
    )
    info = DocumentInfo(identity, identity, "", count, 0, time.time(), identity)
    base._writer.vectors.put([text.id for text in texts], vectors)
    base._store.replace([StoredDocument(info, tuple(texts), places)])


def _resident_mib() -> float:
    for line in (
        Path("/proc/self/status").read_text().splitlines() if Path("/proc/self/status").exists() else ()
    ):
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def table(questions: QuestionSet, results: Sequence[Result]) -> list[str]:
    """The results of one question set as Markdown."""
    lines = [
        f"{questions.name}: {len(questions.paragraphs):,} paragraphs, {len(questions.questions):,} questions",
        "",
        "| system | recall@1 | recall@5 | MRR@10 | indexed/s | p50, ms | p95, ms |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in results:
        speed = "" if one.passages_per_second != one.passages_per_second else f"{one.passages_per_second:.0f}"
        lines.append(
            f"| {one.system} | {one.recall_1:.3f} | {one.recall_5:.3f} | {one.mrr_10:.3f} | {speed} "
            f"| {one.p50_ms:.1f} | {one.p95_ms:.1f} |"
        )
    return [*lines, ""]


def main() -> None:
    """Run what was asked for and print Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--squad", type=Path, action="append", default=[], help="SQuAD-style JSON; may be repeated"
    )
    parser.add_argument("--held-out", action="store_true", help="only questions on every second article")
    parser.add_argument("--untitled", action="store_true", help="leave out the articles' titles")
    parser.add_argument("--trec", type=Path, nargs=3, metavar=("DOCUMENTS", "QUERIES", "JUDGEMENTS"))
    parser.add_argument("--questions", type=int, default=1000, help="of each set, drawn evenly (0: all)")
    parser.add_argument("--sizes", type=int, nargs="*", default=[], help="passages of the speed test")
    parser.add_argument(
        "--tokens", type=int, nargs="+", default=[MAX_PASSAGE_TOKENS - 2], help="the longest passage"
    )
    parser.add_argument("--output", type=Path, help="append the tables to this file")
    options = parser.parse_args()
    sets = [read_squad(path, options.held_out, options.untitled) for path in options.squad]
    sets += [read_trec(*options.trec)] if options.trec else []
    lengths = [SentenceEmbeddings(max_passage_tokens=tokens + 2) for tokens in options.tokens]
    asked = " ".join(Path(word).name for word in sys.argv)
    lines = [f"{datetime.now():%Y-%m-%d %H:%M}, {os.cpu_count()} cores, {platform.machine()}: `{asked}`", ""]
    for questions in sets:
        if options.questions:
            step = max(1, len(questions.questions) // options.questions)
            questions = QuestionSet(questions.name, questions.paragraphs, questions.questions[::step])
        folder = Path(tempfile.mkdtemp())
        results = [run_pipeline(questions, folder / "pipeline")]
        for embeddings in lengths:
            results += run_imprint(questions, folder / str(embeddings.passage_tokens), embeddings)
        lines += table(questions, results)
        print("\n".join(table(questions, results)), flush=True)
        shutil.rmtree(folder, ignore_errors=True)
    if options.sizes:
        sized = measure_sizes(options.sizes, lengths[0])
        print("\n".join(sized))
        lines += [*sized, ""]
    if options.output:
        with options.output.open("a", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
