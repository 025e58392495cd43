"""Downloads of models in the background, whatever happens to the page that began them.

Nothing is fetched unless `start` is called: by a click, or a command that was confirmed.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path

from assistant.background import BackgroundTask, TaskRegistry
from tuning.models.download import CancelledError, fetch
from tuning.models.hub import look_up
from tuning.models.offers import look_at_offer

_REMEMBERED_SECONDS = 8.0  # over which the speed is taken


@dataclass
class DownloadTask(BackgroundTask):
    """One model that is fetched: how much is here, and how long the rest takes."""

    name: str
    done: int = 0  # bytes
    total: int = 0
    _seen: list[tuple[float, int]] = field(default_factory=list, repr=False)

    @property
    def share(self) -> float:
        """How much is here, from 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 0.0

    @property
    def bytes_per_second(self) -> float:
        """How fast it arrives now; 0 while that is unknown."""
        if len(self._seen) < 2:
            return 0.0
        (began, first), (ended, last) = self._seen[0], self._seen[-1]
        return (last - first) / (ended - began) if ended > began else 0.0

    @property
    def seconds_left(self) -> float | None:
        """How long the rest takes at that speed; None while it is unknown."""
        rate = self.bytes_per_second
        return (self.total - self.done) / rate if rate > 0 else None

    def fetch(self, home: Path, is_checked: bool) -> None:
        """Look at the model, unless somebody did, and fetch it. Raises ModelError; being given up is no error."""
        model = look_up(self.name)
        if not is_checked:
            look_at_offer(model, home)
        self.total = model.size
        try:
            fetch(model, home, self._note, self.stop_event.is_set)
        except CancelledError:
            return

    def _note(self, done: int, total: int) -> None:
        self.done, self.total, now = done, total, time.monotonic()
        if not self._seen or now - self._seen[-1][0] > 0.2:
            self._seen = [one for one in self._seen if now - one[0] < _REMEMBERED_SECONDS] + [(now, done)]


class Downloads(TaskRegistry[DownloadTask]):
    """The downloads of one home, by the name of the model."""

    def __init__(self, home: Path) -> None:
        super().__init__("This model is being fetched already.")
        self._home = home

    def begin(self, name: str, *, is_checked: bool = False) -> DownloadTask:
        """Fetch a model in the background. Raises AssistantError while it is being fetched."""
        task = DownloadTask(name)
        return self.start(name, task, lambda: task.fetch(self._home, is_checked))
