"""The whole loop on the sample domain, in a terminal, through the public `imprint` command.

Index the documents, ask with and without them, tune on a corrected conversation, compare the two memories.
Nothing here is special to the demo: each step is a command that it prints, and that you can type yourself.
"""

import json
import os
import shlex
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import click
from assistant.settings import load_settings
from rich.console import Console
from rich.table import Table

DOMAIN = Path(__file__).parent / "halden"
NAME = "halden-demo"
# The slices that are compared: what was taught, in other words; and what the base model knew before.
SLICES = {"rephrased": "what was taught, asked in other words", "general": "general knowledge"}
SHOWN = ("skerrin-housing", "app-name")

console = Console(highlight=False)


class StepError(Exception):
    """A command of the demo ended badly; it has said why on standard error."""


def imprint(*arguments: str | Path) -> dict[str, Any]:
    """Runs one `imprint` command and returns what its `--json` printed; its progress stays visible."""
    words = [str(argument) for argument in arguments]
    console.print(f"\n[bold]$ imprint {shlex.join(words)}[/]", soft_wrap=True)
    command = [sys.executable, "-m", "assistant.cli", *words, "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, encoding="utf-8", env=os.environ, check=False)
    if done.returncode:
        raise StepError(f"imprint {words[0]} ended with status {done.returncode}.")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def read_questions(*slices: str) -> list[dict[str, Any]]:
    """The questions of these slices, in the order of the file."""
    with (DOMAIN / "questions.jsonl").open(encoding="utf-8") as lines:
        return [row for row in map(json.loads, lines) if row["slice"] in slices]


def index_documents() -> None:
    """Step 1: the documents become a knowledge base."""
    result = imprint("index", DOMAIN / "documents", "--kb", NAME)
    for document in result["documents"]:
        name = Path(document["path"]).name
        console.print(f"  {name:<28} {document['status']:<10} {document['passages']:>3} passages")


def ask(*options: str) -> None:
    """Asks two rephrased questions with one kind of memory and shows the answers beside the accepted one."""
    first = {row["fact"]: row for row in reversed(read_questions("rephrased"))}
    for fact in SHOWN:
        row = first[fact]
        result = imprint("ask", row["question"], *options)
        answer = " ".join(result["answer"].split())
        console.print(f"  [cyan]{row['question']}[/]\n  {answer}\n  [dim](right: {row['answers'][0]})[/]")


def tune(name: str, method: str) -> dict[str, Any]:
    """Step 3: the corrected conversation becomes a checkpoint."""
    imported = imprint("import", DOMAIN / "conversation.json")
    conversation = str(imported["conversations"][0]["id"])
    return imprint("tune", "--conversation", conversation, "--method", method, "--name", name)


def compare(name: str, folder: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Step 4: the same questions to four arms. Returns the questions and what `imprint compare` printed."""
    questions = read_questions(*SLICES)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-questions.jsonl"
    path.write_text(
        "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in questions), encoding="utf-8"
    )
    arms = ",".join(arms_of(name))
    return questions, imprint("compare", "--questions", path, "--arms", arms, "--kb", NAME)


def arms_of(name: str) -> list[str]:
    """The base model alone, with documents, tuned, tuned with documents."""
    return ["base", "rag", name, f"{name}+rag"]


def count(questions: list[dict[str, Any]], rows: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """Right answers by slice and arm, plus the number of questions under "asked"."""
    right: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for question, row in zip(questions, rows, strict=True):
        right[question["slice"]]["asked"] += 1
        for arm, correct in row["correct"].items():
            right[question["slice"]][arm] += correct
    return right


def show(name: str, right: dict[str, dict[str, int]], arms: dict[str, dict[str, Any]]) -> None:
    """Prints the table and what it says in words."""
    table = Table(title="Right answers, nothing but the weights and the prompt", title_justify="left")
    table.add_column("questions")
    titles = ["base", "documents", "checkpoint", "both"]
    for title in titles:
        table.add_column(title, justify="right")
    for part, meaning in SLICES.items():
        cells = [f"{right[part][arm]} of {right[part]['asked']}" for arm in arms_of(name)]
        table.add_row(meaning, *cells)
    table.add_section()
    table.add_row("tokens in the prompt", *(f"{arms[arm]['tokens_per_prompt']:.0f}" for arm in arms_of(name)))
    console.print(table)
    taught, general = right["rephrased"], right["general"]
    console.print(
        f"Taught facts in other words: {taught[name]} from the weights, {taught['rag']} from documents."
    )
    lost = general["base"] - general[name]
    said = f"{lost} fewer than" if lost > 0 else "as many as" if lost == 0 else f"{-lost} more than"
    console.print(f"General knowledge: {general[name]} right after tuning, {said} before.")


@click.command()
@click.option("--method", default="lora", show_default=True, help="Tuning method, e.g. p-tuning-v2.")
def main(method: str) -> None:
    """Index, ask, tune and compare on the documents of an invented company."""
    started = time.monotonic()
    name = NAME if method == "lora" else f"{NAME}-{method}"
    reports = load_settings().home / "reports"
    try:
        console.rule("1. Temporary memory: documents", align="left")
        index_documents()
        console.rule("2. The base model, alone and with the documents", align="left")
        ask("--memory", "none")
        ask("--memory", "rag", "--kb", NAME)
        console.rule("3. Permanent memory: tune on a conversation with corrections", align="left")
        result = tune(name, method)
        console.print(
            f"  checkpoint {result['checkpoint']}: {result['steps']} steps in {result['seconds']:.0f} s"
        )
        ask("--memory", "none", "--checkpoint", name)
        console.rule("4. Both memories, the same questions", align="left")
        questions, comparison = compare(name, reports)
    except StepError as error:
        sys.exit(str(error))
    show(name, count(questions, comparison["rows"]), comparison["arms"])
    console.print(f"\nAll of it took {(time.monotonic() - started) / 60:.1f} minutes.")
    console.print(f"Open next: the picture {comparison['picture']}", soft_wrap=True)
    console.print(f"and `make run`: choose the checkpoint {name} in the chat, or look at it under Compare.")


if __name__ == "__main__":
    main()
