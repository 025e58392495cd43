"""Damage documents and count what reading them comes to: `python -m benchmarks.fuzz_documents FOLDER`.

Each damaged file must be read or refused with a DocumentError, within limits, with exact passages.
"""

import argparse
import io
import json
import random
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from knowledge.errors import DocumentError
from knowledge.ingest.chunking import split
from knowledge.ingest.document import find_files, read_bytes
from knowledge.sandbox.client import Sandbox, SandboxLimits

TOKENS = [
    b"\x00",
    b"\xff\xff\xff\xff",
    b"/Kids",
    b"<",
    b">",
    b"&a;",
    b"]]>",
    b"{",
    b'"',
    b"\n",
    b"obj",
    b"0 R",
    b"-1",
    b"1e99",
]


def main() -> None:
    """Run until the time is over and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="whole documents to damage")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="where to write the files that failed or were stopped")
    options = parser.parse_args()
    print(json.dumps(fuzz(options.folder, options.seconds, options.seed, options.keep), indent=1))


def fuzz(folder: Path, seconds: float, seed: int, keep: Path | None = None) -> dict[str, object]:
    """Counts by outcome and by kind of file, the slowest file, and every failure."""
    files = [(path.name, path.read_bytes()) for path in find_files([folder])]
    chance = random.Random(seed)
    outcomes: dict[str, Counter[str]] = {}
    failures: list[str] = []
    slowest = 0.0
    started = time.monotonic()
    with Sandbox(SandboxLimits(seconds=20.0, memory=2**30)) as sandbox:
        number = 0
        while time.monotonic() - started < seconds:
            name, data = chance.choice(files)
            damaged = damage(data, chance)
            begun = time.monotonic()
            outcome = attempt(name, damaged, sandbox)
            slowest = max(slowest, time.monotonic() - begun)
            outcomes.setdefault(Path(name).suffix, Counter())[outcome.partition(":")[0]] += 1
            number += 1
            if outcome.startswith(("FAILED", "stopped", "broke")):
                failures.append(f"{number} {name}: {outcome}")
                if keep:
                    keep.mkdir(parents=True, exist_ok=True)
                    (keep / f"{seed}-{number}-{name}").write_bytes(damaged)
    total: Counter[str] = sum(outcomes.values(), Counter())
    return {
        "files": number,
        "outcomes": dict(total),
        "by_kind": {kind: dict(counts) for kind, counts in sorted(outcomes.items())},
        "slowest_seconds": round(slowest, 2),
        "failures": failures[:50],
    }


def attempt(name: str, data: bytes, sandbox: Sandbox) -> str:
    """What reading it came to: read, refused, stopped (time or memory), broke (its parser), or FAILED."""
    try:
        document = read_bytes(name, data, sandbox=sandbox)
        passages = split(document, count_words)
        exact = all(document.text[passage.start : passage.end] == passage.text for passage in passages)
        return "read" if exact else "FAILED: a passage is no slice of its document"
    except DocumentError as error:
        if "was stopped" in str(error):
            return f"stopped: {error}"
        return f"broke: {error}" if "broke its parser" in str(error) else "refused"
    except Exception as error:  # this is what is looked for
        return f"FAILED: {type(error).__name__}: {error}"


def count_words(texts: Sequence[str]) -> list[int]:
    """Stands for a tokenizer."""
    return [len(text.split()) + sum(character > "\u2e80" for character in text) for text in texts]


def damage(data: bytes, chance: random.Random) -> bytes:
    """Some damage; in a zip container often inside one of its members, so that the container opens."""
    if data.startswith(b"PK") and chance.random() < 0.8:
        return _damage_member(data, chance)
    return _damage_bytes(data, chance)


def _damage_member(data: bytes, chance: random.Random) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        names = old.namelist()
        chosen = chance.choice([name for name in names if name.endswith((".xml", ".rels", "html"))] or names)
        for name in names:
            content = old.read(name)
            new.writestr(name, _damage_bytes(content, chance) if name == chosen else content)
    return out.getvalue()


def _damage_bytes(data: bytes, chance: random.Random) -> bytes:
    damaged = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        if damaged:
            chance.choice(DAMAGES)(damaged, chance)
    return bytes(damaged)


def _flip(data: bytearray, chance: random.Random) -> None:
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _overwrite(data: bytearray, chance: random.Random) -> None:
    data[chance.randrange(len(data))] = chance.randrange(256)


def _insert(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data))
    data[at:at] = chance.choice(TOKENS) * chance.choice((1, 1, 1, 50))


def _delete(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data))
    del data[at : at + chance.choice((1, 4, 64, 1024))]


def _cut(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(len(data)) :]


def _repeat(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data))
    piece = bytes(data[at : at + chance.choice((8, 64, 512))])
    data[at:at] = piece * chance.choice((2, 10, 100))


def _digits(data: bytearray, chance: random.Random) -> None:
    """Another number where one stands: lengths, counts and references are what parsers trust."""
    places = [at for at in range(len(data)) if 48 <= data[at] <= 57]
    if places:
        data[chance.choice(places)] = 48 + chance.randrange(10)


DAMAGES: tuple[Callable[[bytearray, random.Random], None], ...] = (
    *(_flip, _overwrite, _insert, _delete, _cut, _repeat),
    *(_digits, _digits),
)

if __name__ == "__main__":
    main()
