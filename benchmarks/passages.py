"""How long a passage should be, and how much of the one before it should repeat: a sweep.

    python -m benchmarks.passages dev-v1.1.json --articles 16 --sizes 64 128 192 254 --overlaps 0 0.15

Each article of a SQuAD-style file is one document, its paragraphs in their order. A question counts as found
when one of the passages shown covers the very words of its answer. Longer passages cover more and fill more
of the model's window, so the same is counted within a fixed number of tokens too.
"""

import argparse
import json
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from knowledge.base.knowledge_base import KnowledgeBase
from knowledge.index.embeddings import SentenceEmbeddings
from knowledge.index.records import DocumentInfo, Place, StoredDocument, StoredText
from knowledge.ingest.chunking import split
from knowledge.ingest.document import Document, document_from_parsed
from knowledge.readers.blocks import Block, ParsedFile
from knowledge.search.fusion import quantize
from knowledge.text.sentences import context_sentence_spans
from knowledge.text.terms import passage_codes

ROOM = 600  # tokens for passages in a prompt
SHOWN = 10  # passages asked for, of which the first that fit into the room are counted


@dataclass(frozen=True)
class Question:
    """What is asked, and where its answer stands."""

    text: str
    source: str
    start: int
    end: int


def read(path: Path, articles: int, every: int) -> tuple[list[Document], list[Question]]:
    """The first articles as documents, and every so many of their questions."""
    documents: list[Document] = []
    questions: list[Question] = []
    for article in json.loads(path.read_text(encoding="utf-8"))["data"][:articles]:
        texts = [paragraph["context"].strip() for paragraph in article["paragraphs"]]
        title, source = article.get("title", "").replace("_", " "), str(len(documents))
        documents.append(
            document_from_parsed(ParsedFile(title, tuple(Block("text", one) for one in texts)), source)
        )
        begin = 0
        for paragraph, text in zip(article["paragraphs"], texts, strict=True):
            begin = documents[-1].text.index(text, begin)
            shift = begin - (len(paragraph["context"]) - len(paragraph["context"].lstrip()))
            for entry in paragraph["qas"]:
                answer = entry["answers"][0]
                start = shift + answer["answer_start"]
                questions.append(Question(entry["question"], source, start, start + len(answer["text"])))
    return documents, questions[::every]


def fill(base: KnowledgeBase, documents: list[Document], size: int, overlap: float) -> int:
    """Index the documents in passages of this size; returns their number."""
    encoder, total = base._encoder, 0
    for document in documents:
        passages = split(document, encoder.count_tokens, size, int(size * overlap))
        contexts = [passage.context_text for passage in passages]
        spans = [
            context_sentence_spans(passage.text, context)
            for passage, context in zip(passages, contexts, strict=True)
        ]
        vectors, parts = encoder.encode_passages(contexts, spans)
        texts = [
            StoredText(passage.id, passage.text, context, passage_codes(context, span), quantize(part))
            for passage, context, span, part in zip(passages, contexts, spans, parts, strict=True)
        ]
        places = [
            Place(one.id, document.id, at, document.source, one.title, None, (), one.start, one.end)
            for at, one in enumerate(passages)
        ]
        info = DocumentInfo(
            document.id, document.source, document.title, len(texts), 0, time.time(), document.sha256
        )
        base._writer.vectors.put([text.id for text in texts], vectors)
        base._store.replace([StoredDocument(info, tuple(texts), tuple(places))])
        total += len(texts)
    return total


def measure(
    documents: list[Document], questions: list[Question], size: int, overlap: float, model: SentenceEmbeddings
) -> str:
    """One line of the table."""
    with tempfile.TemporaryDirectory() as folder, KnowledgeBase(Path(folder), embeddings=model) as base:
        started = time.perf_counter()
        passages = fill(base, documents, size, overlap)
        seconds = time.perf_counter() - started
        first, four, in_room, tokens = [], [], [], []
        for question in questions:
            hits = [hit.passage for hit in base.search(question.text, SHOWN, min_relevance=0)]
            found = [
                hit.source == question.source and hit.start <= question.start and hit.end >= question.end
                for hit in hits
            ]
            lengths = model.count_tokens([hit.text for hit in hits])
            fits = [sum(lengths[: at + 1]) <= ROOM for at in range(len(hits))]
            first.append(found[0] if found else False)
            four.append(any(found[:4]))
            in_room.append(any(one for one, fit in zip(found, fits, strict=True) if fit))
            tokens.append(sum(lengths[:4]))
    shares = " | ".join(f"{statistics.mean(share):.3f}" for share in (first, four, in_room))
    figures = f"{shares} | {statistics.mean(tokens):.0f} | {seconds:.0f}"
    return f"| {size} | {overlap:.0%} | {passages:,} | {figures} |"


def main() -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, help="SQuAD-style JSON")
    parser.add_argument("--articles", type=int, default=16, help="of the file, from the beginning")
    parser.add_argument("--every", type=int, default=4, help="one question in so many is asked")
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 128, 192, 254], help="tokens")
    parser.add_argument("--overlaps", type=float, nargs="+", default=[0.0, 0.15], help="share of the size")
    options = parser.parse_args()
    documents, questions = read(options.file, options.articles, options.every)
    model = SentenceEmbeddings()
    model.embed_query("warm")
    print(f"{options.file.name}: {len(documents)} articles, {len(questions):,} questions\n")
    print(f"| tokens | overlap | passages | first | of 4 | in {ROOM} tokens | tokens of 4 | indexed, s |")
    print("|---|---|---|---|---|---|---|---|")
    for size in options.sizes:
        for overlap in options.overlaps:
            print(measure(documents, questions, size, overlap, model), flush=True)


if __name__ == "__main__":
    main()
