"""How far a job is: one bar over all its phases that never stands still and never goes back."""

import math
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from tuning.jobs.folder import PHASES

EXPECTED_SECONDS = {"preparing": 10.0, "training": 120.0, "evaluating": 20.0, "saving": 1.0}
SHOWN = ("step", "steps", "loss", "learning_rate", "tokens_per_second", "memory_bytes")


class JobProgress:
    """Turns phases and steps into a fraction and the seconds left, and passes the snapshot on.

    Each phase gets a share of the bar by the seconds that it is expected to take. Within a phase the
    fraction is what was reported; where nothing was, it approaches the phase's end with time.
    """

    def __init__(
        self,
        publish: Callable[[Mapping[str, Any]], None],
        expected: Mapping[str, float],
        before: Mapping[str, Any] | None = None,
    ) -> None:
        """`before` is the last snapshot of a job that goes on: its step is shown until there is another."""
        self._publish = publish
        self._expected = {**EXPECTED_SECONDS, **{k: v for k, v in expected.items() if v > 0}}
        self._total = sum(self._expected.values())
        self._lock = threading.Lock()
        self._phase, self._phase_started = "queued", time.time()
        self._fraction, self._progress, self._published = 0.0, 0.0, 0.0
        self._shown: dict[str, Any] = {k: v for k, v in (before or {}).items() if k in SHOWN}
        self._started: float | None = None
        self._seconds_left_known: float | None = None

    def enter(self, phase: str, said: Mapping[str, Any] | None = None) -> None:
        """Begin a phase of `PHASES`; `said` has what is known of it: the step that a resumed run goes on at."""
        with self._lock:
            now = time.time()
            self._shown.update({k: v for k, v in (said or {}).items() if k in SHOWN})
            self._phase, self._phase_started, self._fraction = phase, now, 0.0
            self._seconds_left_known = None
            if phase != "queued" and self._started is None:
                self._started = now
            self._publish_now(now)

    def note(self, event: Mapping[str, Any]) -> None:
        """Take what an event says: `step` of `steps`, `share`, `seconds_left`, loss, rate, memory."""
        with self._lock:
            self._shown.update({k: event[k] for k in SHOWN if k in event})
            if event.get("kind") == "step" and event.get("steps"):
                self._fraction = event["step"] / event["steps"]
            elif "share" in event:
                self._fraction = float(event["share"])
            if "seconds_left" in event:
                self._seconds_left_known = event["seconds_left"]
            now = time.time()
            if now - self._published >= 0.2:
                self._publish_now(now)

    def tick(self) -> None:
        """Let the bar move with time; to be called about once a second."""
        with self._lock:
            self._publish_now(time.time())

    def _publish_now(self, now: float) -> None:
        expected = self._expected.get(self._phase, 0.0)
        elapsed = now - self._phase_started
        drift = 0.95 * (1 - math.exp(-elapsed / expected)) if expected and not self._fraction else 0.0
        fraction = min(1.0, max(self._fraction, drift))
        before = sum(self._expected.get(p, 0.0) for p in PHASES[: PHASES.index(self._phase)])
        self._progress = max(self._progress, min(0.999, (before + fraction * expected) / self._total))
        self._published = now
        self._publish(
            {
                "phase": self._phase,
                "progress": round(self._progress, 4),
                "started": self._started,
                "time": now,
                "seconds_left": self._seconds_left(expected, fraction, elapsed),
                **self._shown,
            }
        )

    def _seconds_left(self, expected: float, fraction: float, elapsed: float) -> float | None:
        if self._phase == "queued":
            return None
        later = sum(self._expected[p] for p in PHASES[PHASES.index(self._phase) + 1 :])
        if self._seconds_left_known is not None:
            here = float(self._seconds_left_known)
        elif self._fraction > 0.05:
            here = elapsed * (1 - fraction) / fraction
        else:
            here = max(expected - elapsed, expected * 0.1)
        return round(here + later, 1)
