"""Both models alone and beside a tuning job, and the app from its start: python -m benchmarks.decoding_all HOME.

About ten minutes on two quiet cores. HOME should hold the converted default model, and a LoRA checkpoint of it where
`--checkpoint` names one; the second model's file and its converted folder come from `--second` and `--folder`. The
parts run one after another, each in a process of its own, and one that fails is named and left out. `--output` gets
the tables as Markdown.
"""

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import second_model

CHATS = ("llama.cpp alone", "Imprint", "Imprint, 2 chats", "Imprint, 4 chats", "Imprint, 8 chats")
TORCH = ("torch's loop", "transformers' generate")
LORA = ("Imprint, LoRA",)
MOST_SECONDS = 300.0  # of one part


@dataclass(frozen=True)
class Part:
    """One run of a benchmark, as a heading and the words behind `python -m`."""

    title: str
    words: tuple[str, ...]


def parts(options: argparse.Namespace) -> list[Part]:
    """What is measured, the quick ones first."""
    home, second = str(options.home), str(options.second)
    lora = ("--checkpoint", options.checkpoint) if options.checkpoint else ()
    base = (*TORCH, *CHATS, *(LORA if lora else ()))
    small = ("benchmarks.decoding", home, "--tokens", "64", *lora)
    large = ("benchmarks.decoding", home, "--tokens", "32", "--base", second, "--folder", str(options.folder))
    beside = ("--beside-a-job", "--only")
    return [
        Part("The default model, alone", (*small, "--only", ";".join(base))),
        Part("The second model, alone", (*large, "--only", ";".join(TORCH[:1] + CHATS))),
        Part("The app", ("benchmarks.app",)),
        Part(
            "The default model, beside a job",
            (*small, *beside, ";".join((*CHATS, *base[len(TORCH + CHATS) :]))),
        ),
        Part("The second model, beside a job", (*large, *beside, ";".join(CHATS))),
    ]


def run(part: Part, home: Path) -> str:
    """The part's own table, or what went wrong."""
    began = time.monotonic()
    try:
        done = subprocess.run(
            [sys.executable, "-m", *part.words],
            env={**os.environ, "IMPRINT_HOME": str(home)},
            capture_output=True,
            text=True,
            timeout=MOST_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return f"Not measured: it did not end within {MOST_SECONDS:.0f} seconds."
    if done.returncode:
        return f"Not measured: {done.stderr.strip().splitlines()[-1]}"
    lines = [line for line in done.stdout.splitlines() if not line.startswith("round ")]
    return "\n".join(
        [*lines, "", f"{time.monotonic() - began:.0f} s, load at its end {os.getloadavg()[0]:.1f}."]
    )


def main() -> None:
    """Every part, printed as it ends."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("home", type=Path)
    parser.add_argument("--checkpoint", help="a LoRA checkpoint of the default model")
    parser.add_argument("--second", type=Path, default=second_model.path(), help="the second model's file")
    parser.add_argument("--folder", type=Path, required=True, help="the second model, converted")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    texts = []
    for part in parts(options):
        texts.append(f"### {part.title}\n\n{run(part, options.home)}\n")
        print(texts[-1], flush=True)
        if options.output:
            options.output.write_text("\n".join(texts), encoding="utf-8")


if __name__ == "__main__":
    main()
