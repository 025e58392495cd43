"""`imprint ask`: one question on the command line."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assistant.chat.nothing_found import says_nothing_found, says_nothing_known
from assistant.cli.options import (
    chosen_documents,
    document_option,
    knowledge_base_option,
    open_engine,
    workspace_of,
)
from assistant.cli.output import emit, json_option, say, seconds_text
from assistant.workspace import Workspace

if TYPE_CHECKING:
    from assistant.chat.attachments import Attachment
    from assistant.chat.turn import AnswerOptions, Done


@click.command(epilog='Example: imprint ask "How heavy is the Skerrin?" --memory rag --checkpoint halden')
@click.argument("question")
@click.option(
    "--memory",
    type=click.Choice(["none", "rag"]),
    help="rag looks the question up in the documents. Default: rag with --kb or --document, else none.",
)
@knowledge_base_option
@document_option
@click.option(
    "--attach",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    metavar="FILE",
    help="Put the text of this file before the question, and search nothing. May be repeated.",
)
@click.option("--checkpoint", metavar="NAME", help="Answer with this fine-tuned checkpoint.")
@click.option(
    "--conversation", type=int, metavar="ID", help="Go on with this conversation and keep the turn."
)
@click.option("--no-notes", is_flag=True, help="Quote no note: what the weights and documents say alone.")
@click.option(
    "--anyway", is_flag=True, help="Where nothing was found, read the nearest passages all the same."
)
@click.option("--preset", metavar="NAME", help="Use the system prompt and examples of this preset.")
@click.option("--system", metavar="TEXT", help="Use this system prompt.")
@click.option("-k", type=click.IntRange(1, 50), help="How many passages to read.")
@click.option("--max-tokens", type=click.IntRange(min=1), help="The longest answer, in tokens.")
@click.option("--temperature", type=click.FloatRange(0, 2), help="0 gives the same answer every time.")
@click.option("--seed", type=int, help="Makes an answer with a temperature repeatable.")
@json_option
@workspace_of
def ask(workspace: Workspace, question: str, as_json: bool, conversation: int | None, **options: Any) -> None:
    """Ask one question and stream the answer to the terminal."""
    from assistant.chat.turn import Done, Retrieved, Token  # heavy: langchain

    answer_options = _answer_options(workspace, options)
    if question.strip():  # an empty question is refused without opening the model first
        open_engine(workspace)
    done: Done | None = None
    for event in workspace.chat.ask(question, answer_options, conversation_id=conversation):
        if isinstance(event, Retrieved) and event.searched and not as_json:
            say(f"  searched for: {event.searched}")
        if isinstance(event, Token) and not as_json:
            click.echo(event.text, nl=False)
            sys.stdout.flush()
        if isinstance(event, Done):
            done = event
    assert done is not None  # every turn that raises nothing ends with it
    if as_json:
        emit(
            {
                "answer": done.answer,
                "sources": [source.to_dict() for source in done.sources],
                "prompt_tokens": done.prompt_tokens,
                "completion_tokens": done.completion_tokens,
                "seconds": round(done.seconds, 3),
                "seconds_to_first_token": round(done.seconds_to_first_token, 3),
                "memory": answer_options.memory,
                "checkpoint": answer_options.checkpoint,
                "from_notes": any(source.is_note for source in done.sources),
                "ending": done.ending or ("stopped" if done.stopped else "complete"),
                "thoughts": done.thoughts,
                "engine": done.engine,
            }
        )
        return
    click.echo()
    for note in _notes(done, answer_options):
        say(f"  {note}")
    for source in done.sources:
        page = f", page {source.page}" if source.page else ""
        say(f"  [{source.number}] {source.name}{page}")
    by = f" with {done.engine}" if done.engine else ""
    say(f"  {done.completion_tokens} tokens in {seconds_text(done.seconds)}{by}")


def _notes(done: "Done", options: "AnswerOptions") -> list[str]:
    """How the answer ended, where that is not of itself, and that no document stands behind it."""
    notes = {
        "length": f"cut at the limit of {options.max_new_tokens} tokens; --max-tokens allows more",
        "repeated": "stopped: it repeated itself",
        "quoted": "quoted from the document: the small model words it less reliably; --anyway has it answer",
        "verbatim": "quoted: the model hardly knows this language, so this is the sentence of the document itself",
    }
    said = [notes[done.ending]] if done.ending else []
    if options.uses_documents and not done.sources and not says_nothing_found(done.answer):
        said.append("no source: no passage of the documents was found for this")
    if says_nothing_found(done.answer):
        said.append(
            "--anyway shows what the weights say"
            if says_nothing_known(done.answer)
            else "--anyway answers from the nearest passages all the same"
        )
    return said


def _attached(files: Sequence[Path]) -> "tuple[Attachment, ...]":
    from assistant.chat.attachments import read_attachment

    return tuple(read_attachment(file.name, file.read_bytes()) for file in files)


def _answer_options(workspace: Workspace, options: dict[str, Any]) -> "AnswerOptions":
    from assistant.chat.turn import MEMORY_OF, AnswerOptions

    settings = workspace.settings
    preset = workspace.presets.get(options["preset"]) if options["preset"] else None
    system = options["system"] or (preset.system if preset else "")
    reads = options["memory"] == "rag" or (
        options["memory"] is None and (options["kb"] is not None or bool(options["document"]))
    )
    documents = chosen_documents(workspace, options["kb"], options["document"]) if reads else None
    return AnswerOptions(
        memory=MEMORY_OF[reads, options["checkpoint"] is not None],
        checkpoint=options["checkpoint"],
        knowledge_base=options["kb"] or settings.knowledge_base,
        documents=None if documents is None else tuple(documents),
        passages=options["k"] or settings.passages,
        notes=not options["no_notes"],
        anyway=options["anyway"],
        quotes=True,
        system_prompt=system,
        few_shot=tuple(preset.few_shot) if preset else (),
        order=preset.order if preset else None,
        max_new_tokens=options["max_tokens"] or settings.max_new_tokens,
        attached=_attached(options["attach"]),
        temperature=settings.temperature if options["temperature"] is None else options["temperature"],
        top_p=settings.top_p,
        seed=options["seed"],
    )
