"""Variants that a person has saved under a name."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from assistant.compare.variants import BASE, GIVEN, RAG, Variant
from assistant.errors import CompareError
from assistant.storage import write_json


class SavedVariants:
    """A person's own arms, kept in `arms.json` of the home."""

    def __init__(self, home: Path) -> None:
        self.path = home / "arms.json"

    def list(self) -> "list[Variant]":
        """All of them, in the order they were made. Raises CompareError where the file is damaged."""
        try:
            records = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            raise CompareError(f"{self.path} cannot be read: {error}. Repair or delete it.") from error
        if not isinstance(records, list):
            raise CompareError(f"{self.path} holds no list of arms. Repair or delete it.")
        return [Variant.from_dict(record) for record in records]

    def save(self, arm: Variant, taken: Iterable[str] = ()) -> Variant:
        """Keep an arm in place of one of the same name. Raises CompareError for a name that means another."""
        name = " ".join(arm.name.split())
        bad = next((sign for sign in ",+" if sign in name), "" if name else "nothing")
        if bad or name in (BASE, RAG, GIVEN) or name in taken:
            why = "is empty" if bad == "nothing" else f"holds {bad!r}" if bad else "means another arm"
            raise CompareError(f"An arm cannot be named {arm.name!r}: that {why}. Choose another name.")
        arm = replace(arm, name=name)
        others = [other for other in self.list() if other.name != name]
        write_json(self.path, [one.to_dict() for one in (*others, arm)], CompareError)
        return arm

    def delete(self, name: str) -> None:
        """Forget an arm; comparisons that were made with it stay."""
        kept = [arm for arm in self.list() if arm.name != name]
        write_json(self.path, [arm.to_dict() for arm in kept], CompareError)
