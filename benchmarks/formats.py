"""What is read of a file in every format, what is left out and why: python -m benchmarks.formats

Each sample is written into a folder and given to `imprint import`, in a process of its own and a new home, and read
once more as a training would. It prints Markdown, and ends with 1 where a format gives other answers than it should.
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.format_samples import SAMPLES, Sample
from tuning.data.examples import is_learned
from tuning.data.importers import import_file
from tuning.errors import ExampleError

MOST_SAID = 200  # characters of a reason that are shown


@dataclass(frozen=True)
class Row:
    """What became of one sample."""

    sample: Sample
    entry: dict[str, Any]  # of `imprint import --json`
    learned: int

    @property
    def is_right(self) -> bool:
        """Whether as many answers would be learned as the file holds."""
        return self.learned == self.sample.learned

    @property
    def why(self) -> str:
        """What was left out, and what a person is told."""
        left_out = [f"{one['place']}: {one['reason']}" for one in self.entry.get("left_out", [])]
        said = [*left_out, *self.entry.get("notes", []), self.entry.get("error", "")]
        return " ".join(one for one in said if one)[:MOST_SAID]


def main() -> int:
    """Print a line for each format."""
    with tempfile.TemporaryDirectory() as folder:
        rows = list(read_all(Path(folder)))
    print("| sample | told as | conversations | messages | answers to learn | left out, and what is said |")
    print("|---|---|---|---|---|---|")
    for row in rows:
        counts = [str(row.entry.get(key, "")) for key in ("format", "conversations", "messages")]
        learned = str(row.learned) if row.is_right else f"**{row.learned} instead of {row.sample.learned}**"
        print(f"| {' | '.join([row.sample.title, *counts, learned, row.why.replace('|', chr(92) + '|')])} |")
    return 0 if all(row.is_right for row in rows) else 1


def read_all(folder: Path) -> list[Row]:
    """Each sample, imported by one command and read by itself."""
    files = [folder / sample.name for sample in SAMPLES]
    for sample, file in zip(SAMPLES, files, strict=True):
        sample.write(file)
    command = [sys.executable, "-m", "assistant.cli", "import", *map(str, files), "--json"]
    environment = {**os.environ, "IMPRINT_HOME": str(folder / "home")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if not done.stdout:
        raise SystemExit(done.stderr)
    entries = json.loads(done.stdout.replace(f"{folder}/", ""))["files"]
    return [
        Row(sample, entry, learned(file)) for sample, file, entry in zip(SAMPLES, files, entries, strict=True)
    ]


def learned(file: Path) -> int:
    """How many answers a training would learn from a file."""
    try:
        examples = import_file(file, goes_on=True).examples
    except ExampleError:
        return 0
    answers = [turn for one in examples for turn in one.messages if turn["role"] == "assistant"]
    return sum(map(is_learned, answers))


if __name__ == "__main__":
    sys.exit(main())
