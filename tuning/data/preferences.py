"""What people prefer: pairs of answers, single judgements, and their files, of any common format. Chooses nothing.

Written is TRL's conversational format, one JSON object a line. What is learned of them is in `preference_sets`.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuning.data.complaints import Complaints, LeftOut
from tuning.data.examples import Message, checked, quoted_keys, shortened
from tuning.data.file_records import DELIMITERS, Record, json_records, looks_like_json, named_rows, table_rows
from tuning.data.file_texts import texts
from tuning.data.preference_records import (
    is_judged,
    is_preference,
    is_scored_list,
    read_judged,
    read_pair,
    read_scored_list,
)
from tuning.data.storable import storable
from tuning.errors import ExampleError
from tuning.storage import dumps, write_text

FORMATS = (
    "{prompt, chosen, rejected}, {prompt, completion, label}, HH-RLHF's {chosen, rejected} transcripts, "
    "UltraFeedback's {instruction, completions} and OpenAI's {input, preferred_output, non_preferred_output}"
)
_WRAPPERS = ("data", "preferences", "pairs", "rows", "train")
# What a reader raises over nested values of any other shape.
_MISSHAPEN = (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError)


@dataclass(frozen=True)
class PreferencePair:
    """Two answers to one prompt, one of which somebody preferred."""

    prompt: tuple[Message, ...]  # ends with a user turn
    chosen: str
    rejected: str
    source: str = ""  # "blind vote", "correction in conversation 12", "votes.jsonl, line 3"

    def __post_init__(self) -> None:
        object.__setattr__(self, "prompt", checked_prompt(self.prompt))
        if not self.chosen.strip() or not self.rejected.strip():
            raise ExampleError(
                f"A preference needs two answers, and one to {self.question!r} is empty. Fill it in, or take the "
                "pair out."
            )
        if self.chosen.strip() == self.rejected.strip():
            raise ExampleError(
                f"A preference needs two different answers; both are {shortened(self.chosen)!r}. Take it out."
            )

    @property
    def question(self) -> str:
        """The beginning of the last user message, for messages."""
        return shortened(self.prompt[-1]["content"])

    @property
    def prompt_key(self) -> str:
        """The same for all pairs and judgements of one prompt."""
        return key_of_prompt(self.prompt)

    @property
    def key(self) -> str:
        """A hash of prompt and answers: the same pair has the same key, whatever its source."""
        return _hash([self.prompt_key, self.chosen, self.rejected])

    def to_dict(self) -> dict[str, Any]:
        """One JSON object with `prompt`, `chosen` and `rejected` as messages."""
        record: dict[str, Any] = {
            "prompt": [dict(message) for message in self.prompt],
            "chosen": [{"role": "assistant", "content": self.chosen}],
            "rejected": [{"role": "assistant", "content": self.rejected}],
        }
        return record | ({"source": self.source} if self.source else {})


@dataclass(frozen=True)
class Judgement:
    """One answer to a prompt, which somebody found good or bad."""

    prompt: tuple[Message, ...]  # ends with a user turn
    completion: str
    good: bool
    source: str = ""  # as a pair's

    def __post_init__(self) -> None:
        object.__setattr__(self, "prompt", checked_prompt(self.prompt))
        if not self.completion.strip():
            raise ExampleError(f"The answer to {self.question!r} that was judged is empty. Take it out.")

    @property
    def question(self) -> str:
        """The beginning of the last user message, for messages."""
        return shortened(self.prompt[-1]["content"])

    @property
    def prompt_key(self) -> str:
        """The same for all pairs and judgements of one prompt."""
        return key_of_prompt(self.prompt)

    @property
    def key(self) -> str:
        """A hash of prompt, answer and judgement."""
        return _hash([self.prompt_key, self.completion, str(self.good)])

    def to_dict(self) -> dict[str, Any]:
        """One JSON object with `prompt` and `completion` as messages, and `label`."""
        record: dict[str, Any] = {
            "prompt": [dict(message) for message in self.prompt],
            "completion": [{"role": "assistant", "content": self.completion}],
            "label": self.good,
        }
        return record | ({"source": self.source} if self.source else {})


Preference = PreferencePair | Judgement


@dataclass(frozen=True)
class ReadPreferences:
    """Pairs and judgements, and what was left out of a file or of a set, each with the reason."""

    pairs: tuple[PreferencePair, ...] = ()
    judgements: tuple[Judgement, ...] = ()
    complaints: tuple[LeftOut, ...] = ()

    def __len__(self) -> int:
        return len(self.pairs) + len(self.judgements)


def read_preferences(path: Path | str) -> ReadPreferences:
    """The preferences of a file of any common format; broken records are left out and listed.

    Raises `ExampleError` where nothing in it can be read as a preference.
    """
    path, complaints = Path(path), Complaints(goes_on=True)
    pairs: list[PreferencePair] = []
    judgements: list[Judgement] = []
    for name, text in texts(path):
        for line, record in _records(text, name, complaints):
            found = _preference(name, line, record, complaints)
            if isinstance(found, PreferencePair):
                pairs.append(found)
            elif found is not None:
                judgements.append(found)
    left_out = tuple(complaints.left_out)
    if not pairs and not judgements:
        why = f" {left_out[0].place}: {left_out[0].reason}" if left_out else ""
        raise ExampleError(f"{path} holds no preference that can be read.{why} Known are {FORMATS}.")
    return ReadPreferences(tuple(pairs), tuple(judgements), left_out)


def write_preferences(
    path: Path | str, pairs: Iterable[PreferencePair], judgements: Iterable[Judgement] = ()
) -> None:
    """Write one JSON object a line, pairs first; the file appears whole, by rename."""
    every: list[Preference] = [*pairs, *judgements]
    write_text(Path(path), "".join(dumps(one.to_dict()) + "\n" for one in every))


def checked_prompt(messages: object) -> tuple[Message, ...]:
    """The messages of a prompt as plain dicts; raises `ExampleError` where no user turn ends them."""
    plain = checked(messages, "a preference's prompt")
    if plain[-1]["role"] != "user" or not plain[-1]["content"].strip():
        raise ExampleError(
            f"A preference's prompt must end with a user message, not with {plain[-1]['role']!r} "
            f"{shortened(plain[-1]['content'])!r}."
        )
    return tuple({"role": one["role"], "content": one["content"]} for one in plain)


def key_of_prompt(prompt: Sequence[Message]) -> str:
    """A hash of the prompt's messages."""
    return _hash([text for one in prompt for text in (one["role"], one["content"].strip())])


def _hash(parts: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(list(parts), ensure_ascii=True).encode()).hexdigest()[:32]


def _records(text: str, path: Path, complaints: Complaints) -> Iterable[Record]:
    if looks_like_json(text):
        records = list(json_records(text, path, complaints))
        whole = records[0][1] if len(records) == 1 else None
        if isinstance(whole, Mapping) and _reader(whole) is None:
            inner = next((whole[key] for key in _WRAPPERS if isinstance(whole.get(key), list)), None)
            records = records if inner is None else [(records[0][0], one) for one in inner]
        return records
    first = text.split("\n", 1)[0]
    delimiter = next((one for one in DELIMITERS if one in first), ",")
    return named_rows(table_rows(text, delimiter, path), path)


def _preference(path: Path, line: int, record: object, complaints: Complaints) -> Preference | None:
    """What one record says; None where it was complained of."""
    read = _reader(record) if isinstance(record, Mapping) else None
    if read is None or not isinstance(record, Mapping):
        found = quoted_keys(record) if isinstance(record, Mapping) else shortened(repr(record))
        complaints.add(path, line, f"it is no preference: found {found}.")
        return None
    source = record.get("source")
    try:
        return read(record, storable(str(source)) if source else f"{path.name}, line {line}")
    except ExampleError as error:
        complaints.add(path, line, str(error))
    except _MISSHAPEN:
        complaints.add(path, line, "a value in it is of another kind than in any known format.")
    return None


def _reader(record: Mapping[str, Any]) -> Callable[[Mapping[str, Any], str], Preference] | None:
    return next((read for matches, read in _READERS if matches(record)), None)


def _pair(
    read: Callable[[Mapping[str, Any]], tuple[list[Message], str, str]],
) -> Callable[[Mapping[str, Any], str], Preference]:
    def pair(record: Mapping[str, Any], source: str) -> Preference:
        prompt, chosen, rejected = read(record)
        return PreferencePair(_storable(prompt), storable(chosen), storable(rejected), source)

    return pair


def _judgement(record: Mapping[str, Any], source: str) -> Preference:
    prompt, completion, good = read_judged(record)
    return Judgement(_storable(prompt), storable(completion), good, source)


def _storable(prompt: Sequence[Message]) -> tuple[Message, ...]:
    return tuple({**message, "content": storable(message["content"])} for message in prompt)


_READERS: tuple[
    tuple[Callable[[Mapping[str, Any]], bool], Callable[[Mapping[str, Any], str], Preference]], ...
] = (  # the first that matches reads the record
    (is_preference, _pair(read_pair)),
    (is_judged, _judgement),
    (is_scored_list, _pair(read_scored_list)),
)
