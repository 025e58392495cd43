"""Index one folder with every format and every hostile file, and say what became of each.

    python -m benchmarks.folder

All of it goes in by one `KnowledgeBase.add`, on the real embedding model. Then: is every whole file found by
what it says, is every hostile one refused, and did anything change outside the home?
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.make_documents import write
from knowledge.base.knowledge_base import KnowledgeBase
from knowledge.base.reports import DocumentReport

QUESTIONS = ("How heavy is the Skerrin lamp?", "斯克林灯有多重？", "ランプの重さは？", "這個燈有多重？")


def main() -> None:
    """Print the table and end with 1 when anything is not as it should be."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(run(Path(folder)))


def run(folder: Path) -> int:
    """Index the folder; 0 when every whole file was read and every hostile one refused."""
    documents, home = folder / "documents", folder / "home"
    write(documents)
    before = listing(documents)
    started = time.perf_counter()
    with KnowledgeBase(home) as base:
        reports = base.add([documents])
        seconds = time.perf_counter() - started
        found = {
            Path(passage.source).name
            for question in QUESTIONS
            for hit in base.search(question, 100, min_relevance=0)
            for passage in (hit.passage, *hit.also)
        }
    print("| file | outcome | passages | s | why |\n|---|---|---|---|---|")
    for report in reports:
        print(line(report))
    read = {Path(report.path).name for report in reports if report.status == "added"}
    wanted = {path.name for path in (documents / "whole").iterdir()}
    strays = [path.name for path in folder.iterdir() if path not in (documents, home)]
    memory = psutil.Process().memory_info().rss / 2**20
    print(
        f"\n{len(reports)} files in {seconds:.1f} s: {len(read)} read, {len(reports) - len(read)} refused. "
        f"Whole files read: {len(read & wanted)} of {len(wanted)}, found by a question: "
        f"{len(found & wanted)}. Hostile files read: {', '.join(sorted(read - wanted)) or 'none'}. "
        f"Written outside the home: {', '.join(strays) or 'nothing'}; the folder itself "
        f"{'is unchanged' if listing(documents) == before else 'WAS CHANGED'}. "
        f"This process ends with {memory:,.0f} MiB."
    )
    return int(read != wanted or bool(strays) or listing(documents) != before)


def listing(folder: Path) -> dict[str, tuple[int, float]]:
    """Every file with its size and time."""
    return {
        str(path): (path.stat().st_size, path.stat().st_mtime) for path in folder.rglob("*") if path.is_file()
    }


def line(report: DocumentReport) -> str:
    """One row of the table."""
    name = Path(report.path).name
    why = "; ".join((report.error, *report.notes)).removeprefix(f"{name}: ").strip("; ")
    cells = (name, report.status, str(report.passages or ""), f"{report.seconds:.2f}", why.replace("|", "/"))
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
