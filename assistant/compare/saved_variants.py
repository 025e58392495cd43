"""Variants that the user has saved under a name."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from assistant.compare.variants import BASE, GIVEN, RAG, Variant
from assistant.errors import CompareError
from assistant.storage import write_json


class SavedVariants:
    """The user's own variants, kept in `arms.json` of the home."""

    def __init__(self, home: Path) -> None:
        self.path = home / "arms.json"

    def list(self) -> "list[Variant]":
        """All of them, in the order in which they were saved. Raises CompareError where the file is damaged."""
        try:
            records = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return []
        except (OSError, ValueError, RecursionError) as error:
            raise CompareError(f"{self.path} cannot be read: {error}. Repair or delete it.") from error
        if not isinstance(records, list):
            raise CompareError(f"{self.path} holds no list of variants. Repair or delete it.")
        return [Variant.from_dict(record) for record in records]

    def save(self, variant: Variant, taken: Iterable[str] = ()) -> Variant:
        """Keep a variant in place of one of the same name; `taken` are the names of the built-in ones.

        Raises CompareError for a name that means another variant.
        """
        name = " ".join(variant.name.split())
        bad = next((sign for sign in ",+" if sign in name), "" if name else "nothing")
        if bad or name in (BASE, RAG, GIVEN) or name in taken:
            why = "is empty" if bad == "nothing" else f"holds {bad!r}" if bad else "means another variant"
            raise CompareError(
                f"A variant cannot be named {variant.name!r}: that {why}. Choose another name."
            )
        variant = replace(variant, name=name)
        others = [other for other in self.list() if other.name != name]
        write_json(self.path, [one.to_dict() for one in (*others, variant)], CompareError)
        return variant

    def delete(self, name: str) -> None:
        """Remove a variant; comparisons that were made with it stay."""
        kept = [variant for variant in self.list() if variant.name != name]
        write_json(self.path, [variant.to_dict() for variant in kept], CompareError)

    def rename_knowledge_base(self, name: str, wanted: str) -> None:
        """Let the variants that read a knowledge base know it by its new name."""
        variants = self.list()
        if any(variant.knowledge_base == name for variant in variants):
            renamed = [
                replace(one, knowledge_base=wanted) if one.knowledge_base == name else one for one in variants
            ]
            write_json(self.path, [one.to_dict() for one in renamed], CompareError)
