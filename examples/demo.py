"""The whole loop on the sample domain, in a terminal, through the public `imprint` command.

Index the documents, ask with and without them, tune on a corrected conversation, compare the two memories.
Nothing here is special to the demo: each step is a command that it prints, and that you can type yourself.
"""

import json
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from assistant.history.conversations import ConversationStore
from assistant.settings import load_settings
from tuning.checkpoints.registry import Registry

DOMAIN = Path(__file__).parents[1] / "assistant" / "sample"
NAME = "halden-demo"
BOTH = "+rag+notes"
QUESTION = "Which app do I install to use my Halden instrument?"

console = Console(highlight=False)


class StepError(Exception):
    """A command of the demo ended badly; it has said why on standard error."""


def imprint(*arguments: str | Path) -> dict[str, Any]:
    """Runs one `imprint` command and returns what its `--json` printed; its progress stays visible."""
    words = [str(argument) for argument in arguments]
    console.print(f"\n[bold]$ imprint {escape(shlex.join(words))}[/]", soft_wrap=True)
    command = [sys.executable, "-m", "assistant.cli", *words, "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, encoding="utf-8", check=False)
    if done.returncode:
        raise StepError(f"imprint {words[0]} ended with status {done.returncode}.")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def read_questions(part: str) -> list[dict[str, Any]]:
    """The questions of one slice, in the order of the file."""
    with (DOMAIN / "questions.jsonl").open(encoding="utf-8") as lines:
        return [row for row in map(json.loads, lines) if row["slice"] == part]


def index_documents() -> None:
    """Step 1: the documents become a knowledge base."""
    result = imprint("index", DOMAIN / "documents", "--kb", NAME)
    for document in result["documents"]:
        name = Path(document["path"]).name
        console.print(f"  {name:<28} {document['status']:<10} {document['passages']:>3} passages")


def ask(*options: str) -> None:
    """Asks one question, in words that tuning never sees, and shows the answer beside the accepted one."""
    row = next(row for row in read_questions("rephrased") if row["question"] == QUESTION)
    answer = imprint("ask", QUESTION, *options)["answer"]
    console.print(f"  {escape(' '.join(answer.split()))}\n  [dim](right: {row['answers'][0]})[/]")


def imported_conversation(store: ConversationStore) -> int:
    """The sample conversation in the person's own list: imported once, found again afterwards."""
    path = str(DOMAIN / "conversation.json")
    for conversation in store.list(limit=10_000):
        if conversation.source == path:
            return conversation.id
    return int(imprint("import", path)["files"][0]["ids"][0])


def arms_of(checkpoint: str) -> dict[str, str]:
    """The four arms as `imprint compare` names them, each with its heading.

    "Both" is what the chat does: lessons from the weights or as they were taught, all else from the documents.
    """
    return {"base": "base", "rag": "documents", checkpoint: "checkpoint", f"{checkpoint}{BOTH}": "both"}


def compare(part: str, arms: list[str], folder: Path) -> dict[str, Any]:
    """Puts one slice of the questions to these arms. Returns what `imprint compare` printed."""
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in read_questions(part)]
    path = folder / f"{arms[-1].removesuffix(BOTH)}-{part}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(lines), encoding="utf-8")
    return imprint("compare", "--questions", path, "--arms", ",".join(arms), "--kb", NAME)


def show(checkpoint: str, taught: dict[str, Any], general: dict[str, Any]) -> None:
    """Prints the table of right answers, and what it says in words."""
    table = Table("right answers to", title="The memories side by side", title_justify="left")
    arms = arms_of(checkpoint)
    for heading in arms.values():
        table.add_column(heading, justify="right")
    table.add_row("taught facts, in other words", *(share(taught["arms"], arm) for arm in arms))
    table.add_row("general questions", *(share(general["arms"], arm) for arm in arms))
    table.add_section()
    tokens = (f"{taught['arms'][arm]['tokens_per_prompt']:.0f}" for arm in arms)
    table.add_row("tokens in a prompt", *tokens)
    console.print(table)
    known, read = share(taught["arms"], checkpoint), share(taught["arms"], "rag")
    console.print(f"Taught facts: {known} from the weights, {read} from the documents.")
    before, after = share(general["arms"], "base"), share(general["arms"], checkpoint)
    console.print(f"General questions: {before} before tuning, {after} after.")


def share(arms: dict[str, Any], arm: str) -> str:
    """Right answers of an arm in words; a dash where it was not asked."""
    return f"{arms[arm]['correct']} of {arms[arm]['n']}" if arm in arms else "–"


@click.command()
@click.option("--method", default="lora", show_default=True, help="Tuning method, e.g. p-tuning-v2.")
@click.option("--complete", is_flag=True, help="Ask the general questions with documents, too: slower.")
def main(method: str, complete: bool) -> None:
    """Index, ask, tune and compare on the documents of an invented company."""
    started = time.monotonic()
    settings = load_settings()
    name = Registry(settings.home).free_name(NAME)
    try:
        console.rule("1. Temporary memory: the documents", align="left")
        index_documents()
        console.rule("2. The base model, alone and with the documents", align="left")
        ask("--memory", "none")
        ask("--memory", "rag", "--kb", NAME)
        console.rule("3. Permanent memory: tuning on a conversation with corrections", align="left")
        conversation = imported_conversation(ConversationStore(settings.conversations_path))
        result = imprint("tune", "--conversation", str(conversation), "--method", method, "--name", name)
        console.print(f"  {result['checkpoint']}: {result['steps']} steps in {result['seconds']:.0f} seconds")
        ask("--memory", "none", "--checkpoint", name)
        console.rule("4. Both memories, the same questions", align="left")
        reports = settings.home / "reports"
        taught = compare("rephrased", list(arms_of(name)), reports)
        # The documents have nothing to say to these, and long prompts cost minutes on a small machine.
        general = compare("general", ["base", name] if not complete else list(arms_of(name)), reports)
    except StepError as error:
        sys.exit(str(error))
    show(name, taught, general)
    console.print(f"All of it took {(time.monotonic() - started) / 60:.1f} minutes.\n")
    console.print(f"Open next: the pictures {taught['picture']} and {general['picture']}", soft_wrap=True)
    console.print(f"and `make run`: choose the checkpoint {name} in the chat, or look at it under Compare.")


if __name__ == "__main__":
    main()
