"""What is wrong with single records of a file: the first ends the reading, or each is left out and listed."""

from dataclasses import dataclass
from pathlib import Path

from tuning.errors import ExampleError

MAX_LEFT_OUT = 10_000


@dataclass(frozen=True)
class LeftOut:
    """A record that was not read."""

    place: str  # "chats.json, line 12"
    reason: str


class Complaints:
    """Raises `ExampleError` at the first complaint, or lists them where the reading is to go on."""

    def __init__(self, goes_on: bool = False) -> None:
        self.goes_on = goes_on
        self.left_out: list[LeftOut] = []

    def add(self, path: Path, line: int, reason: str) -> None:
        """One record cannot be read."""
        if not self.goes_on:
            raise ExampleError(f"{path}, line {line}: {reason}")
        self.left_out.append(LeftOut(f"{path.name}, line {line}", reason))
        if len(self.left_out) > MAX_LEFT_OUT:
            raise ExampleError(
                f"{path}: more than {MAX_LEFT_OUT:,} records cannot be read. "
                f"The first is line {self.left_out[0].place.rpartition(' ')[2]}: {self.left_out[0].reason}"
            )

    def note(self, path: Path, line: int, reason: str) -> None:
        """One record holds nothing; that alone is never an error."""
        if self.goes_on:
            self.add(path, line, reason)
