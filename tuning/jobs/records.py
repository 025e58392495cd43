"""The JSON files of jobs as they are polled: records parsed again only where they changed, events as they come."""

import contextlib
import json
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

MAX_RECORDS = 2000  # of about seven a job

_Stamp = tuple[int, int, int]


class RecordCache:
    """Parsed JSON objects by path; of more than `limit`, those that were not read for longest are dropped."""

    def __init__(self, limit: int = MAX_RECORDS) -> None:
        self._limit = limit
        self._records: OrderedDict[Path, tuple[_Stamp, dict[str, Any]]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._records)

    def read(self, path: Path) -> dict[str, Any]:
        """The object in a file, to be changed freely; empty where there is none, or it is damaged."""
        try:
            status = path.stat()
        except OSError:
            self._drop(path)
            return {}
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        with self._lock:
            known = self._records.get(path)
            if known is not None and known[0] == stamp:
                self._records.move_to_end(path)
                return dict(known[1])
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        if not isinstance(record, dict):
            return {}
        with self._lock:
            self._records[path] = (stamp, record)
            self._records.move_to_end(path)
            while len(self._records) > self._limit:
                self._records.popitem(last=False)
        return dict(record)

    def forget(self, folder: Path) -> None:
        """Drop the records of a folder that was removed."""
        with self._lock:
            for path in [path for path in self._records if path.parent == folder]:
                del self._records[path]

    def _drop(self, path: Path) -> None:
        with self._lock:
            self._records.pop(path, None)


class EventReader:
    """The events of one JSON Lines file; each call reads only what was appended since the last."""

    def __init__(self, path: Path) -> None:
        self._path, self._offset, self._events = path, 0, list[dict[str, Any]]()
        self._lock = threading.Lock()

    def after(self, count: int) -> list[dict[str, Any]]:
        """All events but the first `count`; an unfinished line waits, a broken one is left out."""
        with self._lock:
            self._read_appended()
            return self._events[count:]

    def _read_appended(self) -> None:
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:
            return
        whole = data.rfind(b"\n") + 1
        self._offset += whole
        for line in data[:whole].split(b"\n"):
            with contextlib.suppress(ValueError, RecursionError):
                event = json.loads(line)
                if isinstance(event, dict):
                    self._events.append(event)
