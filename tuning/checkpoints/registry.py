"""Checkpoints on disk: self-describing folders that appear whole, with lineage. Loads no weights."""

import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from tuning.checkpoints.manifest import (
    EVALUATION,
    EXAMPLES,
    FORMAT,
    MANIFEST,
    NOTES,
    BrokenCheckpoint,
    Checkpoint,
    LearnedExample,
    Manifest,
    checked_name,
    read_checkpoint,
)
from tuning.data.examples import Example, read_examples, write_examples
from tuning.errors import CheckpointError
from tuning.models.adapter_files import REMOTE_MODEL
from tuning.process import Identity
from tuning.scoring import normalise
from tuning.storage import file_sha256, files_of, flush, folder_bytes, write_json

LEFTOVER_SECONDS = 600.0  # storing takes seconds
REMOTE_HOLD_SECONDS = 86_400.0  # whether a process of another machine runs cannot be seen
Checkpoints = list[Checkpoint]  # `list` is a method below
Names = list[str]


class Registry:
    """The checkpoints under one Imprint home."""

    def __init__(self, home: Path) -> None:
        self.folder = Path(home) / "checkpoints"

    def list(self) -> list[Checkpoint]:
        """All readable checkpoints, oldest first; `broken` has the others."""
        return self._scan()[0]

    def answering(self) -> Sequence[Checkpoint]:
        """Those of `list` that write answers: all but reward models."""
        return [checkpoint for checkpoint in self.list() if not checkpoint.is_reward_model]

    def broken(self) -> Sequence[BrokenCheckpoint]:
        """Folders that cannot be read as a checkpoint, each with the reason."""
        return self._scan()[1]

    def get(self, name: str) -> Checkpoint:
        """The checkpoint of that name; raises `CheckpointError` where there is none, or it is damaged."""
        name = checked_name(name)
        path = self.folder / name
        if not path.is_dir():
            known = ", ".join(repr(c.name) for c in self.list()) or "none yet"
            raise CheckpointError(f"There is no checkpoint {name!r}. There are: {known}.")
        checkpoint = read_checkpoint(path)
        return self._with_parent_names([checkpoint], self._ids())[0] if checkpoint.parent_id else checkpoint

    def exists(self, name: str) -> bool:
        """Whether a checkpoint has this name (letters' case does not tell two names apart)."""
        return any(known.casefold() == name.casefold() for known in self._names())

    def free_name(self, wanted: str) -> str:
        """`wanted`, or `wanted-2`, `wanted-3`… where it is taken."""
        wanted = checked_name(wanted)
        taken = {known.casefold() for known in self._names()}
        number, name = 1, wanted
        while name.casefold() in taken:
            number += 1
            name = f"{wanted}-{number}"
        return name

    def save(self, manifest: Manifest, write: Callable[[Path], None]) -> Checkpoint:
        """Store a checkpoint whole or not at all; `write` puts the adapter's files into the given folder.

        Raises `CheckpointError` where the name is taken or not a name, the parent is missing, or nothing was
        written. Whatever `write` raises leaves no trace.
        """
        name = checked_name(manifest.name)
        if self.exists(name):
            raise CheckpointError(
                f"A checkpoint {name!r} exists already. Choose another name, or delete it first."
            )
        parent_id = self.get(manifest.parent).id if manifest.parent else None
        self._remove_leftovers()
        temporary = self.folder / f".new-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        temporary.mkdir(parents=True)
        try:
            write(temporary)
            if not (any(temporary.glob("*.safetensors")) or (temporary / REMOTE_MODEL).is_file()):
                raise CheckpointError(
                    f"Nothing to keep for {name!r}: the method wrote no weights (*.safetensors)."
                )
            hashes = {p.relative_to(temporary).as_posix(): file_sha256(p) for p in files_of(temporary)}
            write_examples(temporary / EXAMPLES, manifest.examples)
            write_json(temporary / EVALUATION, manifest.evaluation)
            record = {
                "format": FORMAT,
                "id": uuid.uuid4().hex,
                **manifest.to_dict(),
                "name": name,
                "parent_id": parent_id,
                "created": time.time(),
                "files": {p.relative_to(temporary).as_posix(): p.stat().st_size for p in files_of(temporary)},
                "sha256": hashes,
            }
            if manifest.notes is not None:
                write_examples(temporary / NOTES, manifest.notes)
            write_json(temporary / MANIFEST, record)  # last: its presence means complete
            self._publish(temporary, name)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        return self.get(name)

    def rename(self, name: str, new_name: str) -> Checkpoint:
        """Give a checkpoint another name; its children keep knowing it. Not while it is in use."""
        checkpoint, new_name = self.get(name), checked_name(new_name)
        if new_name == checkpoint.name:
            return checkpoint
        if self.exists(new_name) and new_name.casefold() != checkpoint.name.casefold():
            raise CheckpointError(
                f"Cannot rename {name!r} to {new_name!r}: a checkpoint of that name exists."
            )
        self._refuse_while_held(checkpoint, "rename")
        checkpoint.path.rename(self.folder / new_name)
        self._update(new_name, {"name": new_name})
        return self.get(new_name)

    def set_note(self, name: str, note: str) -> Checkpoint:
        """Keep a person's words with a checkpoint."""
        self._update(self.get(name).name, {"note": note})
        return self.get(name)

    def delete(self, name: str) -> None:
        """Remove a checkpoint; not while something uses it, and not while later rounds build on it."""
        name = checked_name(name)
        path = self.folder / name
        if not path.is_dir():
            self.get(name)  # says which there are
        known = {c.name: c for c in self.list()}
        if name in known:
            children = self.children(name)
            if children:
                names = ", ".join(repr(c.name) for c in children)
                raise CheckpointError(
                    f"Cannot delete {name!r}: {names} was trained from it. Delete that first."
                )
            self._refuse_while_held(known[name], "delete")
        trash = self.folder / f".deleted-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        path.rename(trash)  # gone at once for everybody, even where removing takes time
        shutil.rmtree(trash, ignore_errors=True)

    @contextmanager
    def hold(self, name: str, why: str) -> Iterator[Checkpoint]:
        """Keep a checkpoint from being deleted or renamed meanwhile; `why` is shown to whoever tries."""
        checkpoint = self.get(name)
        holds = self.folder / ".holds" / checkpoint.id
        holds.mkdir(parents=True, exist_ok=True)
        own = holds / f"{os.getpid()}-{uuid.uuid4().hex[:8]}.json"
        write_json(own, {**Identity.own().to_dict(), "why": why})
        try:
            yield checkpoint
        finally:
            own.unlink(missing_ok=True)

    def children(self, name: str) -> Checkpoints:
        """The checkpoints that were trained from this one."""
        checkpoint = self.get(name)
        return [c for c in self.list() if c.parent_id == checkpoint.id]

    def lineage(self, name: str) -> Checkpoints:
        """From the first round to this checkpoint; ancestors that were removed by hand are left out."""
        by_id = {c.id: c for c in self.list()}
        found: Checkpoints = []
        current: Checkpoint | None = self.get(name)
        while current is not None and all(c.id != current.id for c in found):
            found.append(current)
            current = by_id.get(current.parent_id or "")
        return found[::-1]

    def examples_of(self, name: str) -> Sequence[LearnedExample]:
        """What a checkpoint was made from, of all rounds of its lineage, oldest first."""
        return [
            LearnedExample(checkpoint.name, example)
            for checkpoint in self.lineage(name)
            if checkpoint.examples is not None and checkpoint.examples.exists()
            for example in read_examples(checkpoint.examples)
        ]

    def earlier_examples(self, parent: str | None, learned: Sequence[Example]) -> Sequence[Example]:
        """What the rounds up to `parent` taught and `learned` does not teach anew: each question's newest answer."""
        if parent is None:
            return []
        known = {normalise(example.question): example for _, example in self.examples_of(parent)}
        anew = {normalise(example.question) for example in learned}
        return [example for question, example in known.items() if question not in anew]

    def tree(self) -> Sequence[tuple[int, Checkpoint]]:
        """All checkpoints with their depth, each parent directly before its children."""
        checkpoints = self.list()
        ids = {c.id for c in checkpoints}
        rows: list[tuple[int, Checkpoint]] = []
        waiting = [(0, c) for c in reversed(checkpoints) if c.parent_id not in ids]
        while waiting:
            depth, checkpoint = waiting.pop()
            rows.append((depth, checkpoint))
            waiting += [(depth + 1, c) for c in reversed(checkpoints) if c.parent_id == checkpoint.id]
        return rows

    def size_bytes(self) -> int:
        """The bytes that all checkpoints take together."""
        return folder_bytes(self.folder)

    def remove_leftovers_of(self, pid: int) -> None:
        """Remove what a process that has ended left half-written."""
        for path in self.folder.glob(f".new-{pid}-*"):
            shutil.rmtree(path, ignore_errors=True)

    def _scan(self) -> tuple[Checkpoints, Sequence[BrokenCheckpoint]]:
        good: Checkpoints = []
        broken: list[BrokenCheckpoint] = []
        for name in self._names():
            path = self.folder / name
            try:
                good.append(read_checkpoint(path))
            except CheckpointError as error:
                broken.append(BrokenCheckpoint(name, path, str(error)))
        good.sort(key=lambda c: (c.created, c.name))
        return self._with_parent_names(good, {c.id: c.name for c in good}), broken

    def _names(self) -> Names:
        if not self.folder.is_dir():
            return []
        return sorted(e.name for e in os.scandir(self.folder) if e.is_dir() and not e.name.startswith("."))

    def _ids(self) -> dict[str, str]:
        return {c.id: c.name for c in self._scan()[0]}

    @staticmethod
    def _with_parent_names(checkpoints: Checkpoints, names: Mapping[str, str]) -> Checkpoints:
        return [replace(c, parent=names.get(c.parent_id or "", c.parent)) for c in checkpoints]

    def _publish(self, temporary: Path, name: str) -> None:
        for path in files_of(temporary):
            flush(path)
        try:
            temporary.rename(self.folder / name)
        except OSError as error:  # somebody took the name in the meantime
            raise CheckpointError(f"Cannot store {name!r}: {error.strerror}. Choose another name.") from error

    def _update(self, name: str, changes: Mapping[str, Any]) -> None:
        path = self.folder / name / MANIFEST
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
            write_json(path, {**manifest, **changes})
        except (OSError, ValueError, RecursionError, TypeError) as error:
            raise CheckpointError(f"Cannot change {name!r}: {path} cannot be written ({error}).") from error

    def _living_holds(self, checkpoint: Checkpoint) -> Names:
        reasons = []
        for path in sorted((self.folder / ".holds" / checkpoint.id).glob("*.json")):
            try:
                record = json.loads(path.read_text(encoding="utf-8"))
                identity = Identity.from_dict(record)
            except (OSError, ValueError, KeyError, TypeError, RecursionError):
                continue
            is_remote = not identity.is_local and time.time() - path.stat().st_mtime < REMOTE_HOLD_SECONDS
            if identity.is_alive or is_remote:
                reasons.append(f"{record.get('why') or 'in use'} (process {identity.pid})")
            else:
                path.unlink(missing_ok=True)
        return reasons

    def _refuse_while_held(self, checkpoint: Checkpoint, verb: str) -> None:
        reasons = self._living_holds(checkpoint)
        if reasons:
            raise CheckpointError(
                f"Cannot {verb} {checkpoint.name!r} while it is in use: {'; '.join(reasons)}."
            )

    def _remove_leftovers(self) -> None:
        for path in [*self.folder.glob(".new-*"), *self.folder.glob(".deleted-*")]:
            pid = int(path.name.split("-")[1]) if path.name.split("-")[1].isdigit() else 0
            is_old = time.time() - path.stat().st_mtime > LEFTOVER_SECONDS  # or it is another machine's
            if is_old and pid != os.getpid() and not psutil.pid_exists(pid):
                shutil.rmtree(path, ignore_errors=True)
