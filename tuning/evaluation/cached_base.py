"""A base model with a cache of its own answers to the general questions, which every job asks again."""

import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path

import torch
from filelock import FileLock

from tuning.augment.replay_prompts import REPLAY_PROMPTS
from tuning.data.examples import Message
from tuning.evaluation.reading_questions import READING
from tuning.evaluation.retention_questions import RETENTION
from tuning.models.base_model import BaseModel
from tuning.models.device import choose_training_dtype
from tuning.storage import read_json, write_json

log = logging.getLogger(__name__)

GENERAL = frozenset([*REPLAY_PROMPTS, *(question for question, _ in (*RETENTION, *READING))])


def open_cached(name: str, home: Path, device: str | None = None) -> "CachedBaseModel":
    """As `BaseModel.open`; general answers are kept in the home, apart for each template and precision."""
    base = CachedBaseModel.open(name, home, device)
    base.folder = home / "models" / ".answers"
    base.folder.mkdir(parents=True, exist_ok=True)
    return base


class CachedBaseModel(BaseModel):
    """Answers general questions without an adapter from a cache in the home; all else is computed.

    What a person asked is never cached. `open_cached` opens one.
    """

    folder: Path | None = None  # where answers are kept; nothing is without it
    computed = 0  # answers so far

    @classmethod
    def dtype_on(cls, device: torch.device, parameters: int) -> torch.dtype:
        """What jobs compute in: many rows at once."""
        return choose_training_dtype(device, parameters)

    def complete(
        self, batch: Sequence[Sequence[Message]], *, adapter: str | None = None, max_new_tokens: int = 64
    ) -> list[str]:
        """As `BaseModel.complete`."""
        if adapter is not None or self.folder is None or not all(map(_is_general, batch)):
            self.computed += len(batch)
            return super().complete(batch, adapter=adapter, max_new_tokens=max_new_tokens)
        path = self.folder / f"{self._key()}.json"
        known = read_json(path)
        keys = [_key_of(messages, max_new_tokens) for messages in batch]
        missing = [i for i, key in enumerate(keys) if key not in known]
        if missing:
            self.computed += len(missing)
            answers = super().complete([batch[i] for i in missing], max_new_tokens=max_new_tokens)
            fresh = {keys[i]: answer for i, answer in zip(missing, answers, strict=True)}
            with FileLock(path.with_suffix(".lock")):
                write_json(path, {**read_json(path), **fresh})
            known = {**known, **fresh}
        log.info("%d of %d general answers came from the cache", len(batch) - len(missing), len(batch))
        return [str(known[key]) for key in keys]

    def _key(self) -> str:
        parts = [self.sha256, self.template_fingerprint, self.device.type, str(self.dtype)]
        return hashlib.sha256("|".join(parts).encode()).hexdigest()[:24]


def _is_general(messages: Sequence[Message]) -> bool:
    questions = [m for m in messages if m["role"] != "system"]
    return len(questions) == 1 and questions[0]["content"] in GENERAL


def _key_of(messages: Sequence[Message], max_new_tokens: int) -> str:
    text = json.dumps([max_new_tokens, *([m["role"], m["content"]] for m in messages)])
    return hashlib.sha256(text.encode()).hexdigest()[:24]
