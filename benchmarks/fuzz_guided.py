"""Fuzz the loaders written in Python, led by what they have not run yet: `python -m benchmarks.fuzz_guided FOLDER`.

The loaders run without the sandbox that makes a refusal of any error: an error of theirs that is no DocumentError
is a finding, and so are a passage that is no slice of its document and a file that takes too long. Needs
`pip install atheris`; every kind of file runs in a process of its own until its time is over.
"""

import argparse
import copy
import io
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from benchmarks.fuzz_documents import TOKENS, count_words
from knowledge.errors import DocumentError
from knowledge.ingest.chunking import split
from knowledge.ingest.document import Document, assemble

MAX_BYTES, SLOW_SECONDS = 4096, 20
VALUES = ("", "0", "1", "-1", "2", "65536", "1e99", "99999999999", "x")
_DONE = re.compile(r"Done (\d+) (?:runs )?in (\d+) second")
_WORD = re.compile(rb"</?[\w:]+|[\w:]+=\"[^\"<>]{1,40}\"|[#|`>*{}\[\]]+")
_COVERED = re.compile(r"cov: (\d+) ft: \d+ corp: (\d+)")


@dataclass(frozen=True)
class Target:
    """What is damaged: a file, or one member of a container, which grows and stays well-formed."""

    file: str  # in the folder of whole documents
    member: str = ""


TARGETS = {
    "text": Target("utf-8.txt"),
    "markdown": Target("notes.md"),
    "html": Target("page.html"),
    "csv": Target("table.csv"),
    "json": Target("records.json"),
    "jsonl": Target("records.jsonl"),
    "docx": Target("manual.docx", "word/document.xml"),
    "pptx": Target("talk.pptx", "ppt/slides/slide1.xml"),
    "epub": Target("novel.epub", "OEBPS/book.opf"),
}


def main() -> None:
    """Fuzz each kind for some seconds and print one JSON document; exit with 1 where something was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="whole documents, as benchmarks.make_documents writes them")
    parser.add_argument("--kinds", nargs="+", choices=TARGETS, default=list(TARGETS))
    parser.add_argument("--seconds", type=int, default=60, help="for each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=Path(), help="where to write what was found")
    parser.add_argument("--child", choices=TARGETS, help=argparse.SUPPRESS)
    options, fuzzer_options = parser.parse_known_args()
    if options.child:
        run(options.child, options.folder, fuzzer_options)
    kinds = {kind: fuzz(kind, options) for kind in options.kinds}
    print(json.dumps(kinds, indent=1))
    sys.exit(any(kind["found"] for kind in kinds.values()))


def fuzz(kind: str, options: argparse.Namespace) -> dict[str, object]:
    """One kind in a process of its own: its runs, edges covered, inputs kept, and what was found."""
    options.keep.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as corpus:
        seed, words = Path(corpus) / "inputs" / "seed", Path(corpus) / "words"
        seed.parent.mkdir()
        data = whole(kind, options.folder)
        seed.write_bytes(bytes(range(256)) if TARGETS[kind].member else data)
        words.write_text("".join(f'"{_escaped(word)}"\n' for word in sorted({*TOKENS, *_WORD.findall(data)})))
        limits = [
            f"-max_total_time={options.seconds}",
            f"-timeout={SLOW_SECONDS}",
            f"-max_len={max(MAX_BYTES, 2 * len(data))}",
            f"-dict={words}",
            "-len_control=0",
            f"-seed={options.seed}",
            f"-artifact_prefix={options.keep}/{kind}-",
        ]
        command = [sys.executable, "-m", "benchmarks.fuzz_guided", str(options.folder), "--child", kind]
        said = subprocess.run([*command, str(seed.parent), *limits], capture_output=True, text=True).stderr
    done, covered = _DONE.findall(said), _COVERED.findall(said)
    if not covered:
        sys.exit(f"{kind} was not fuzzed: {said[-500:]}")
    found = [line for line in said.splitlines() if re.match(r"\S*(?:Error|Exception)\b|==\d+== ERROR", line)]
    written = re.findall(r"Test unit written to (\S+)", said)
    return {
        "runs": int(done[-1][0]) if done else None,
        "edges": int(covered[-1][0]),
        "inputs": int(covered[-1][1]),
        "found": [*found, *written] if written else [],
    }


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02X}" for byte in word)


def whole(kind: str, folder: Path) -> bytes:
    """The document, or the member of it, that the damage begins with."""
    target = TARGETS[kind]
    data = (folder / target.file).read_bytes()
    return zipfile.ZipFile(io.BytesIO(data)).read(target.member) if target.member else data


def run(kind: str, folder: Path, fuzzer_options: list[str]) -> None:
    """Fuzz in this process; does not return."""
    import atheris  # an extra of this script alone: it has wheels for some machines only

    with atheris.instrument_imports(include=["knowledge"]):
        from knowledge.readers.dispatch import LOADERS, FileContent
    suffix = LOADERS[kind].suffixes[0]
    packed = packer(kind, folder)

    def test_one(data: bytes) -> None:
        try:
            parsed = LOADERS[kind].load(FileContent(packed(data), suffix))
        except (DocumentError, RecursionError):
            return
        text, sections = assemble(parsed.blocks)
        document = Document(kind, parsed.title, text, sections, "", len(data))
        for passage in split(document, count_words):
            if text[passage.start : passage.end] != passage.text:
                raise AssertionError("a passage is no slice of its document")

    sys.setrecursionlimit(5_000)  # as in the sandbox
    atheris.Setup([sys.argv[0], *fuzzer_options], test_one)
    atheris.Fuzz()


def packer(kind: str, folder: Path) -> Callable[[bytes], bytes]:
    """Where there is a container, grows its member from the bytes and puts it in."""
    target = TARGETS[kind]
    if not target.member:
        return bytes
    with zipfile.ZipFile(folder / target.file) as old:
        others = {name: old.read(name) for name in old.namelist() if name != target.member}
        member = etree.fromstring(old.read(target.member))

    def packed(data: bytes) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as new:
            for name, content in {**others, target.member: grow(data, member)}.items():
                new.writestr(name, content)
        return out.getvalue()

    return packed


def grow(data: bytes, member: etree._Element) -> bytes:
    """A whole document that grew: a byte goes somewhere, opens an element of it, closes one, writes, or changes a
    value."""
    root = copy.deepcopy(member)
    parts = list(root.iter(etree.Element))
    path = [root]
    for byte in data:
        if byte >= 112:
            part = parts[byte % len(parts)]
            path.append(etree.SubElement(path[-1], part.tag, part.attrib))
        elif byte >= 96 and path[-1].attrib:
            names = list(path[-1].attrib)
            path[-1].set(names[byte % len(names)], VALUES[byte % len(VALUES)])
        elif byte >= 64:
            path[-1].text = f"{path[-1].text or ''}{chr(byte)}"
        elif byte >= 48 and len(path) > 1:
            path.pop()
        else:
            path = [parts[byte % len(parts)]]
    return etree.tostring(root)


if __name__ == "__main__":
    main()
