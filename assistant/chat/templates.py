"""Questions kept under a name, with blanks in double braces that are filled in before one is asked.

"Summarise {{text}} for {{reader}}." A file of the home; it asks nothing itself.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from assistant.errors import PresetError
from assistant.storage import write_json

FILE = "prompt-templates.json"
_BLANK = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")


@dataclass(frozen=True)
class PromptTemplate:
    """A question with blanks, under a name. Raises PresetError where either is empty."""

    name: str
    text: str

    def __post_init__(self) -> None:
        if not self.name.strip() or not self.text.strip():
            raise PresetError("A saved question needs a name and a text; fill in both.")

    @property
    def blanks(self) -> tuple[str, ...]:
        """The names of its blanks, each once, in order."""
        return tuple(dict.fromkeys(_BLANK.findall(self.text)))

    def filled(self, values: Mapping[str, str]) -> str:
        """The question with the blanks filled in; one without a value stays as it is."""
        return _BLANK.sub(lambda blank: values.get(blank[1], "").strip() or blank[0], self.text)


class PromptTemplates:
    """The saved questions of a home, by name."""

    def __init__(self, home: Path) -> None:
        self._path = home / FILE

    def list(self) -> Sequence[PromptTemplate]:
        """All of them, in the order in which they were saved. Raises PresetError where the file is damaged."""
        try:
            records = json.loads(self._path.read_text("utf-8"))
            return [PromptTemplate(str(record["name"]), str(record["text"])) for record in records]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as problem:
            raise PresetError(
                f"{self._path} holds no saved questions ({problem}). Repair or delete it."
            ) from problem

    def save(self, template: PromptTemplate) -> None:
        """Keep one; another of its name is replaced."""
        kept = [one for one in self.list() if one.name != template.name]
        self._write([*kept, template])

    def delete(self, name: str) -> None:
        """Forget one; a name that is not there is no mistake."""
        self._write([one for one in self.list() if one.name != name])

    def _write(self, templates: Sequence[PromptTemplate]) -> None:
        write_json(self._path, [asdict(one) for one in templates], PresetError)
