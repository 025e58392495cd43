"""Preferences → the files of other programs, and files → a home. Reading the formats is `tuning.data.preferences`'s."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.errors import PreferenceError
from assistant.history.preferences import PreferenceStore
from assistant.history.records import NewJudgement, NewPreference
from assistant.preferences.collect import CollectedPreferences
from assistant.storage import write_whole
from tuning.data.complaints import LeftOut
from tuning.data.examples import Message
from tuning.data.preference_sets import judgements_of
from tuning.data.preferences import Judgement, PreferencePair, read_preferences
from tuning.storage import dumps

Item = PreferencePair | Judgement
_HUMAN = {"user": "Human", "assistant": "Assistant"}


@dataclass(frozen=True)
class FileFormat:
    """A format of preference files."""

    sentence: str
    record: Callable[[Any], dict[str, Any]]
    pairs: bool = True
    judgements: bool = False


def to_text(collected: CollectedPreferences, kinds: Sequence[str], form: str) -> str:
    """The preferences of these kinds as JSONL of one of FORMATS. Raises PreferenceError where there are none.

    In the format of judgements each pair is two: its preferred answer is good, its other one bad.
    """
    chosen = FORMATS[form]
    pairs, judgements = collected.pairs_from(kinds), collected.judgements_from(kinds)
    items: list[Item] = list(pairs) if chosen.pairs else list(judgements_of(pairs))
    items += judgements if chosen.judgements else []
    if not items:
        raise PreferenceError(
            "There is nothing to export: nobody has voted, corrected or rated an answer yet. Vote in a blind trial, "
            "or correct an answer."
        )
    return "".join(dumps(chosen.record(item)) + "\n" for item in items)


def export(collected: CollectedPreferences, kinds: Sequence[str], form: str, path: Path) -> int:
    """Write a file that was not there; returns how many records it holds. Raises PreferenceError."""
    if path.exists():
        raise PreferenceError(f"{path} exists already. Choose another name, or remove it first.")
    text = to_text(collected, kinds, form)
    write_whole(path, text, private=True)
    return text.count("\n")


@dataclass(frozen=True)
class ImportedPreferences:
    """What a file held: its pairs and judgements, how many of them are new, and what was left out."""

    pairs: int
    judgements: int
    new: int
    left_out: tuple[LeftOut, ...]


def import_preferences(votes: PreferenceStore, path: Path) -> ImportedPreferences:
    """Keep the preferences of a file of any known format. Raises ExampleError where it holds none."""
    found = read_preferences(path)
    new = votes.add_imported(
        (
            NewPreference(prompt=one.prompt, chosen=one.chosen, rejected=one.rejected, source=one.source)
            for one in found.pairs
        ),
        (
            NewJudgement(prompt=one.prompt, completion=one.completion, good=one.good, source=one.source)
            for one in found.judgements
        ),
    )
    return ImportedPreferences(len(found.pairs), len(found.judgements), new, found.complaints)


def _as_it_is(item: Item) -> dict[str, Any]:
    return item.to_dict()


def _plain(pair: PreferencePair) -> dict[str, Any]:
    return {"prompt": _text_of(pair.prompt), "chosen": pair.chosen, "rejected": pair.rejected}


def _transcripts(pair: PreferencePair) -> dict[str, Any]:
    before = _transcript(pair.prompt)
    return {name: f"{before}\n\nAssistant: {getattr(pair, name)}" for name in ("chosen", "rejected")}


def _openai(pair: PreferencePair) -> dict[str, Any]:
    return {
        "input": {"messages": [dict(one) for one in pair.prompt]},
        "preferred_output": [{"role": "assistant", "content": pair.chosen}],
        "non_preferred_output": [{"role": "assistant", "content": pair.rejected}],
    }


def _text_of(prompt: Sequence[Message]) -> str:
    """A question alone as it is; several turns as a transcript."""
    turns = [one for one in prompt if one["role"] != "system"]
    return turns[0]["content"] if len(turns) == 1 else _transcript(prompt)


def _transcript(prompt: Sequence[Message]) -> str:
    """HH-RLHF's form, which knows no system prompt."""
    return "".join(
        f"\n\n{_HUMAN[one['role']]}: {one['content']}" for one in prompt if one["role"] != "system"
    )


FORMATS = {
    "trl": FileFormat(
        "prompt, chosen and rejected as messages; judgements with a label", _as_it_is, judgements=True
    ),
    "plain": FileFormat("prompt, chosen and rejected as texts", _plain),
    "kto": FileFormat("prompt, completion and label", _as_it_is, pairs=False, judgements=True),
    "hh": FileFormat("two transcripts, as in HH-RLHF", _transcripts),
    "openai": FileFormat("OpenAI's preference format", _openai),
}
