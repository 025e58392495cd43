"""Real files read by Imprint and, beside it, by other libraries: key phrases, reading order, values of tables, seconds.

    python -m benchmarks.documents --others /tmp/others/bin/python
    python -m benchmarks.documents --clones FOLDER --missing

The files (`documents.json`) lie in the test folders of public document libraries and are fetched by repository, commit,
path and hash. Their keys were made by hand: phrases in reading order, and (row, column, value) of tables. A value
counts where one line names its row and has "column: value", or where a table in bars has it in that row and column.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from benchmarks.retrieval_sets import RemoteFile
from knowledge.errors import DocumentError
from knowledge.ingest.document import read_document

MANIFEST = Path(__file__).with_name("documents.json")
OTHERS = ("markitdown", "kreuzberg", "pypdf", "trafilatura")
KINDS = {"pypdf": (".pdf",), "trafilatura": (".html",)}  # what a library reads; the others read every kind
_RULE = re.compile(r"[-:\s]+")  # of a cell between a table's names and its rows


@dataclass(frozen=True)
class Key:
    """A file and what must be found in it."""

    file: RemoteFile
    phrases: tuple[str, ...]
    cells: tuple[tuple[str, str, str], ...]  # row, column, value

    @property
    def name(self) -> str:
        """The file's name."""
        return Path(self.file.path).name


@dataclass(frozen=True)
class Found:
    """What one reader found of one file."""

    phrases: int
    in_order: int  # of the pairs of neighbouring phrases
    cells: int
    seconds: float
    missing: tuple[str, ...]


def keys() -> list[Key]:
    """Every file of the manifest."""
    entries = json.loads(MANIFEST.read_text(encoding="utf-8"))
    return [
        Key(
            RemoteFile(one["repository"], one["commit"], one["path"], one["sha256"]),
            tuple(one["phrases"]),
            tuple((row, column, value) for row, column, value in one["cells"]),
        )
        for one in entries
    ]


def judge(key: Key, text: str, seconds: float) -> Found:
    """How much of a key the text has."""
    whole = _plain(text)
    places = [whole.find(_plain(phrase)) for phrase in key.phrases]
    lines = [_plain(line) for line in named_lines(text)]
    lost = [cell for cell in key.cells if not any(_has(line, *map(_plain, cell)) for line in lines)]
    absent = [phrase for phrase, at in zip(key.phrases, places, strict=True) if at < 0]
    ordered = sum(0 <= a < b for a, b in pairwise(places))
    return Found(
        len(places) - len(absent), ordered, len(key.cells) - len(lost), seconds, (*absent, *map(str, lost))
    )


def _has(line: str, row: str, column: str, value: str) -> bool:
    """Whether one line has the row's name and, under the column's name, the value."""
    return row in line and f"{column}: {value}" in line


def named_lines(text: str) -> Iterator[str]:
    """The lines of a text; the rows of a table in bars with the name of its column before each value."""
    names: list[str] = []
    for line in text.splitlines():
        bars = line.strip()
        if bars.count("|") < 1 or ": " in bars.partition("|")[0]:
            names = []
            yield line
            continue
        cells = [cell.strip() for cell in bars.strip("|").split("|")]
        if all(_RULE.fullmatch(cell) for cell in cells if cell):
            continue
        if not any(names):
            names = cells
        yield "; ".join(f"{name}: {cell}" for name, cell in zip(names, cells, strict=False))


def _plain(text: str) -> str:
    """In lower case, with single spaces, without Markdown's marks."""
    return re.sub(r"\s+", " ", re.sub(r"[*_`#\\]", "", text)).strip().lower()


def read_here(paths: Sequence[Path]) -> dict[str, tuple[str, float]]:
    """The texts as Imprint indexes them, each with its seconds."""
    found: dict[str, tuple[str, float]] = {}
    for path in paths:
        started = time.perf_counter()
        try:
            text = read_document(path).text
        except DocumentError as error:
            print(f"Imprint: {error}", file=sys.stderr)
            text = ""
        found[str(path)] = (text, time.perf_counter() - started)
    return found


def read_elsewhere(python: Path, name: str, paths: Sequence[Path]) -> dict[str, tuple[str, float]]:
    """The texts of another library, in its own environment."""
    command = [str(python), str(Path(__file__).with_name("documents_others.py")), name]
    given = "\n".join(map(str, paths))
    done = subprocess.run(command, input=given, capture_output=True, encoding="utf-8", check=True)
    texts: dict[str, list[object]] = json.loads(done.stdout)[name]
    return {path: (str(text), float(str(seconds))) for path, (text, seconds) in texts.items()}


def table(results: dict[str, dict[Path, Found]], of: dict[Path, Key]) -> list[str]:
    """Each reader beside Imprint on the files that it reads, as Markdown."""
    lines = [
        "| reader | files | phrases | in order | values of tables | seconds |",
        "|---|---|---|---|---|---|",
    ]
    ours = results["Imprint"]
    for name, found in results.items():
        lines.append(_row(name, found.values(), [of[path] for path in found]))
        if name in KINDS:
            same = [ours[path] for path in found]
            lines.append(_row(f"Imprint, the files of {name}", same, [of[path] for path in found]))
    return lines


def _row(name: str, found: Iterable[Found], of: Sequence[Key]) -> str:
    found = list(found)
    phrases, pairs = sum(len(key.phrases) for key in of), sum(max(0, len(key.phrases) - 1) for key in of)
    cells = sum(len(key.cells) for key in of)
    counts = (
        sum(one.phrases for one in found),
        sum(one.in_order for one in found),
        sum(one.cells for one in found),
    )
    shares = [f"{count} of {whole}" for count, whole in zip(counts, (phrases, pairs, cells), strict=True)]
    return f"| {name} | {len(found)} | {' | '.join(shares)} | {sum(one.seconds for one in found):.1f} |"


def main() -> None:
    """Fetch, read, judge, print Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--others", type=Path, help="a Python that has the other libraries")
    parser.add_argument("--clones", type=Path, help="a folder of clones OWNER+NAME/repo; else the network")
    parser.add_argument("--missing", action="store_true", help="list what Imprint does not find")
    options = parser.parse_args()
    of = {key.file.fetch(clones=options.clones): key for key in keys()}
    texts = {"Imprint": read_here(list(of))}
    for name in OTHERS if options.others else ():
        paths = [path for path in of if path.name.endswith(KINDS.get(name, ("",)))]
        texts[name] = read_elsewhere(options.others, name, paths)
    results = {
        name: {Path(path): judge(of[Path(path)], *read) for path, read in found.items()}
        for name, found in texts.items()
    }
    print(f"{datetime.now():%Y-%m-%d %H:%M}, {os.cpu_count()} cores, {platform.machine()}, {len(of)} files\n")
    print("\n".join(table(results, of)))
    for path, found in results["Imprint"].items() if options.missing else ():
        if found.missing:
            print(f"{path.name}: {'; '.join(found.missing)}")


if __name__ == "__main__":
    main()
