"""How many sentences get the number of the passage that supports them: `python -m benchmarks.citations`.

The sentences are those of tests/knowledge/grounding/citation_cases.py, in English and Chinese.
"""

from collections import Counter
from collections.abc import Sequence

from knowledge.grounding.citations import Embed, cite
from knowledge.index.embeddings import SentenceEmbeddings
from tests.knowledge.grounding.citation_cases import CHOSEN_ON, JUDGED_ON, Shelf

KINDS = {
    "same": "same words",
    "reworded": "other words",
    "changed": "a number or name changed",
    "nowhere": "said nowhere",
}
SETS = {"chosen on": CHOSEN_ON, "judged on": JUDGED_ON}


def main() -> None:
    """Print the table as Markdown."""
    ways = {"words and vectors": SentenceEmbeddings().embed_documents, "words alone": None}
    print(f"| | sentences | {' | '.join(KINDS.values())} | precision | recall |")
    print("|---" * (len(KINDS) + 4) + "|")
    for way, embed in ways.items():
        for name, shelves in SETS.items():
            print(line(f"{way}, {name}", shelves, embed))


def line(label: str, shelves: Sequence[Shelf], embed: Embed | None) -> str:
    """Of each kind the sentences that were judged as by hand; precision and recall of the numbers given."""
    all_of, right = Counter[str](), Counter[str]()
    cited = well_cited = supported = 0
    for shelf in shelves:
        for case in shelf.cases:
            (found,) = cite(case.sentence, shelf.passages, embed, shelf.titles)
            all_of[case.kind] += 1
            right[case.kind] += found.passage == case.passage
            cited += found.supported
            supported += case.passage is not None
            well_cited += found.supported and found.passage == case.passage
    kinds = " | ".join(f"{right[kind]} of {all_of[kind]}" for kind in KINDS)
    shares = f"{well_cited / cited:.2f} | {well_cited / supported:.2f}"
    return f"| {label} | {sum(all_of.values())} | {kinds} | {shares} |"


if __name__ == "__main__":
    main()
