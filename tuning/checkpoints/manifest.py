"""What a checkpoint's folder says of it: written, read and checked; the names it may have. Loads no weights."""

import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from tuning.data.examples import Example
from tuning.errors import CheckpointError
from tuning.models.adapter_files import PREFIX_CONFIG
from tuning.models.packaged import present_name
from tuning.storage import folder_bytes, read_json

FORMAT = 1
REWARD = "reward"  # the method whose checkpoints score answers
REMOTE = "openai"  # the method whose checkpoints are kept by a service
MANIFEST = "imprint.json"
EVALUATION = "evaluation.json"
EXAMPLES = "examples.jsonl"
PREFERENCES = "preferences.jsonl"
NOTES = "notes.jsonl"  # changes after the checkpoint was stored: not among its listed files
FORBIDDEN_CHARACTERS = (
    '/\\:*?"<>|+,'  # path separators, what Windows refuses, and what `--arms a,b+rag` needs
)
FORBIDDEN_NAMES = {
    "base",
    "rag",
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{d}{n}" for d in ("com", "lpt") for n in range(10)),
}
MAX_PARSED = 400  # files whose content stays in memory: a page lists all checkpoints at every click
MAX_NAME_CHARACTERS = 80
MAX_NAME_BYTES = 200


@dataclass(frozen=True)
class Manifest:
    """What a new checkpoint says of itself; `Registry.save` adds its id, the time and the files."""

    name: str
    method: str
    base: str
    base_sha256: str
    parent: str | None = None  # the name of the checkpoint it was continued from
    template_fingerprint: str = ""
    system_prompt: str = ""
    stop_ids: Sequence[int] = ()
    examples: Sequence[Example] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    evaluation: Mapping[str, Any] = field(default_factory=dict)
    probe: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    job: str = ""
    notes: Sequence[Example] | None = None  # see `tuning.checkpoints.notes`; None where nothing was asked

    def to_dict(self) -> dict[str, Any]:
        """The fields that the manifest file holds, as JSON types; the others have files of their own."""
        return {
            "name": self.name,
            "method": self.method,
            "base": self.base,
            "base_sha256": self.base_sha256,
            "parent": self.parent,
            "template_fingerprint": self.template_fingerprint,
            "system_prompt": self.system_prompt,
            "stop_ids": [int(i) for i in self.stop_ids],
            "examples_count": len(self.examples),
            "config": dict(self.config),
            "metrics": dict(self.metrics),
            "probe": dict(self.probe),
            "note": self.note,
            "job": self.job,
        }


class LearnedExample(NamedTuple):
    """An example, and the checkpoint whose round learned it."""

    checkpoint: str
    example: Example


@dataclass(frozen=True)
class Checkpoint:
    """A stored checkpoint: what was learned, from which base and examples, and how well."""

    name: str
    path: Path
    method: str
    base: str
    base_sha256: str
    parent: str | None  # the parent's present name, or its last known one when it is gone
    created: float  # seconds since 1970
    template_fingerprint: str = ""
    system_prompt: str = ""
    stop_ids: tuple[int, ...] = ()
    examples: Path | None = None  # JSONL of what was learned
    examples_count: int = 0
    config: dict[str, Any] = field(default_factory=dict)  # the method's hyper-parameters and the recipe
    metrics: dict[str, Any] = field(
        default_factory=dict
    )  # steps, seconds, loss, tokens_per_second, memory_bytes
    evaluation: dict[str, Any] = field(default_factory=dict)  # see `tuning.evaluation.recall.evaluate`
    probe: dict[str, Any] = field(default_factory=dict)  # what a later load must reproduce
    note: str = ""
    id: str = ""  # stays when the name changes
    parent_id: str | None = None
    job: str = ""  # the job that made it
    files: dict[str, int] = field(default_factory=dict)  # bytes of each file as it was written
    sha256: dict[str, str] = field(default_factory=dict)  # of the adapter's files; earlier versions kept none

    @property
    def is_from_preferences(self) -> bool:
        """Whether it learned from preferences, and not from examples."""
        return (self.path / PREFERENCES).exists()

    @property
    def is_reward_model(self) -> bool:
        """Whether it scores answers, and writes none."""
        return self.method == REWARD

    @property
    def is_remote(self) -> bool:
        """Whether a service keeps its weights: see `tuning.checkpoints.remote_model`."""
        return self.method == REMOTE

    @property
    def size_bytes(self) -> int:
        """The bytes that its folder takes."""
        return folder_bytes(self.path)

    @property
    def nearest_words(self) -> list[list[str]]:
        """The real words nearest to each learned one; empty where the method learns no words."""
        return list(read_json(self.path / PREFIX_CONFIG).get("nearest_words", ()))


@dataclass(frozen=True)
class BrokenCheckpoint:
    """A folder among the checkpoints that cannot be read as one."""

    name: str
    path: Path
    reason: str


def checked_name(name: str) -> str:
    """The name in Unicode's composed form; raises `CheckpointError` for what cannot be a folder's name."""
    composed = unicodedata.normalize("NFC", name).strip()
    reason = ""
    if not composed:
        reason = "it is empty"
    elif len(composed) > MAX_NAME_CHARACTERS or len(composed.encode("utf-8", "replace")) > MAX_NAME_BYTES:
        reason = f"it is longer than {MAX_NAME_CHARACTERS} characters"
    elif bad := [
        c
        for c in composed
        if c in FORBIDDEN_CHARACTERS or unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")
    ]:
        reason = f"it holds {bad[0]!r}"
    elif composed[0] in ".-" or composed.endswith("."):
        reason = "it begins with '.' or '-', or ends with '.'"
    elif composed.casefold().split(".")[0] in FORBIDDEN_NAMES:
        reason = "this word has a meaning of its own"
    if reason:
        raise CheckpointError(
            f"{name!r} cannot name a checkpoint: {reason}. "
            "Letters of any language, digits, spaces, '-', '_' and '.' can."
        )
    return composed


def read_checkpoint(path: Path) -> Checkpoint:
    """The checkpoint in a folder; raises `CheckpointError` where it is none, damaged or of another format."""
    manifest = _read_json(path / MANIFEST, path)
    if manifest.get("format") != FORMAT:
        raise CheckpointError(
            f"{path} has format {manifest.get('format')!r}; this Imprint reads {FORMAT}. Update Imprint."
        )
    files = manifest.get("files", {})
    if not isinstance(files, dict):
        raise CheckpointError(
            f"{path / MANIFEST} is damaged: its list of files is none. Restore or delete it."
        )
    for name, size in files.items():
        file = path / name
        if not file.is_file():
            raise CheckpointError(
                f"The checkpoint in {path} is damaged: {name!r} is missing. Restore or delete it."
            )
        if name not in (EXAMPLES, EVALUATION) and file.stat().st_size != size:
            found = file.stat().st_size
            raise CheckpointError(
                f"The checkpoint in {path} is damaged: {name!r} has {found} bytes instead of {size}. "
                "Restore or delete it."
            )
    try:
        return Checkpoint(
            name=path.name,
            path=path,
            method=str(manifest["method"]),
            base=present_name(str(manifest["base"]), str(manifest["base_sha256"])),
            base_sha256=str(manifest["base_sha256"]),
            parent=manifest.get("parent"),
            created=float(manifest["created"]),
            template_fingerprint=str(manifest.get("template_fingerprint", "")),
            system_prompt=str(manifest.get("system_prompt", "")),
            stop_ids=tuple(int(i) for i in manifest.get("stop_ids", ())),
            examples=path / EXAMPLES,
            examples_count=int(manifest.get("examples_count", 0)),
            config=dict(manifest.get("config", {})),
            metrics=dict(manifest.get("metrics", {})),
            evaluation=_read_json(path / EVALUATION, path),
            probe=dict(manifest.get("probe", {})),
            note=str(manifest.get("note", "")),
            id=str(manifest["id"]),
            parent_id=manifest.get("parent_id"),
            job=str(manifest.get("job", "")),
            files=dict(manifest.get("files", {})),
            sha256=dict(manifest.get("sha256", {})),
        )
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{path / MANIFEST} is damaged: a value in it is missing or of another kind. "
            "Restore or delete the folder."
        ) from error


def _read_json(path: Path, folder: Path) -> dict[str, Any]:
    try:
        state = path.stat()
        record = _parsed(path, (state.st_ino, state.st_mtime_ns, state.st_size))
    except FileNotFoundError as error:
        raise CheckpointError(
            f"{folder} is not a checkpoint: it has no {path.name!r}. Restore or delete the folder."
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} cannot be read ({error}). Restore or delete the folder.") from error
    if not isinstance(record, dict):
        raise CheckpointError(f"{path} holds no JSON object. Restore or delete the folder.")
    return record


@lru_cache(maxsize=MAX_PARSED)
def _parsed(path: Path, state: tuple[int, int, int]) -> Any:
    """What a JSON file holds in this state; shared by all who read it, and changed by nobody."""
    return json.loads(path.read_text(encoding="utf-8"))
