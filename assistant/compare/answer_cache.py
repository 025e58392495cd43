"""Greedy answers that were given before, so that a comparison goes on where it was interrupted.

An answer is known by its whole prompt, the model and the checkpoint: where one of them changes, it is asked
anew.
"""

import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path

from tuning.data.examples import Message

log = logging.getLogger(__name__)


class AnswerCache:
    """One JSONL file of answers; each batch is appended when it is done."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, tuple[str, float]] = {}
        if path.is_file():
            for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
                self._read(line)

    def key(self, identity: str, messages: Sequence[Message], max_new_tokens: int) -> str:
        """What decides an answer, as a hash."""
        facts = json.dumps([identity, list(messages), max_new_tokens], ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(facts.encode("utf-8", "surrogatepass")).hexdigest()

    def get(self, key: str) -> tuple[str, float] | None:
        """The answer and the seconds it took, if it is known."""
        return self._known.get(key)

    def add(self, answers: dict[str, tuple[str, float]]) -> None:
        """Keep answers by their key."""
        self._known |= answers
        lines = [
            json.dumps({"key": key, "text": text, "seconds": round(seconds, 4)}, ensure_ascii=False) + "\n"
            for key, (text, seconds) in answers.items()
        ]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8", errors="replace") as file:
            file.write("".join(lines))

    def _read(self, line: str) -> None:
        try:
            record = json.loads(line)
            self._known[record["key"]] = (str(record["text"]), float(record["seconds"]))
        except (ValueError, KeyError, TypeError):  # a line that a killed process left half-written
            log.info("a line of %s is unreadable and asked anew", self.path)
