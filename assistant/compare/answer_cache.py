"""Answers that were given before, so that an evaluation goes on where it was interrupted.

An answer is known by its whole prompt, the model and the checkpoint: where one of them changes, the question is
answered anew.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from assistant.compare.record_log import RecordLog
from tuning.data.examples import Message


class AnswerCache:
    """One JSONL file of answers; each batch is appended when it is done."""

    def __init__(self, path: Path) -> None:
        self._log = RecordLog(path)
        self._known: dict[str, tuple[str, float]] = {}
        for record in self._log.read():
            if {"key", "text", "seconds"} <= record.keys():
                self._known[record["key"]] = (str(record["text"]), float(record["seconds"]))

    def key(self, identity: str, messages: Sequence[Message], max_new_tokens: int) -> str:
        """The SHA-256 of all that determines an answer."""
        facts = json.dumps([identity, list(messages), max_new_tokens], ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(facts.encode("utf-8", "surrogatepass")).hexdigest()

    def get(self, key: str) -> tuple[str, float] | None:
        """The answer and the seconds it took, if it is known."""
        return self._known.get(key)

    def add(self, answers: dict[str, tuple[str, float]]) -> None:
        """Keep answers by their key."""
        self._known |= answers
        self._log.append(
            {"key": key, "text": text, "seconds": round(seconds, 4)}
            for key, (text, seconds) in answers.items()
        )
