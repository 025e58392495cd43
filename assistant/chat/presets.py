"""Presets: system prompts, orders and few-shot examples under a name, the built-in ones and a person's own."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.errors import PresetError
from assistant.storage import write_json
from tuning.data.examples import Message
from tuning.models.capability import Capability

# Sent where nothing else is chosen; tuning stores it too, so that a checkpoint is prompted as it was trained.
# Empty leaves it to the chat template of the model.
DEFAULT_SYSTEM = ""


@dataclass(frozen=True)
class Order:
    """What a model is told between the passages and the question, and in Chinese where the question is."""

    english: str
    chinese: str = ""

    def text(self, chinese: bool) -> str:
        """The order in the language of the question; where there is only one, in that."""
        return (self.chinese or self.english) if chinese else (self.english or self.chinese)

    @property
    def numbers_passages(self) -> bool:
        """Whether the answer is to name passages by number, so that they need one."""
        return "[1]" in f"{self.english}{self.chinese}"


SHORT = Order(
    "Answer the question with a short phrase from the context.",
    "请根据资料用简短的话回答问题。",
)
# Without a word of numbers: told to write them, a model of 0.5 B answers 13 of 24 questions with a bare "[2]" and 10
# rightly; so, 22 (benchmarks/second_model_walk.py). Which passage stands behind a sentence is told by their words.
SENTENCES = Order(
    "Answer the question in a full sentence, using only the passages. If the passages do not hold the answer, say that "
    "you cannot find it.",
    "请只根据资料，用一个完整的句子回答问题。资料中没有答案时，请说明找不到。",
)
NUMBERED_SENTENCES = Order(
    "Answer in full sentences, using only the numbered passages, and end each sentence with the number of its "
    "passage, such as [1]. If the passages do not hold the answer, say that you cannot find it.",
    "请只根据带编号的资料，用完整的句子回答问题，并在每句话末尾写上所依据资料的编号，例如[1]。资料中没有答案时，请说明找不到。",
)
# Where a preset has no order of its own.
ORDERS: dict[Capability, Order] = {"small": SHORT, "capable": SENTENCES, "strong": NUMBERED_SENTENCES}


@dataclass(frozen=True)
class Preset:
    """A system prompt, an order and few-shot examples (question, answer), under a name."""

    name: str
    system: str = DEFAULT_SYSTEM
    examples: tuple[tuple[str, str], ...] = ()
    # One sentence on what it is for.
    sentence: str = ""
    built_in: bool = False
    # What is said between passages and question; None leaves it to what the model can do.
    order: Order | None = None

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise PresetError("A preset needs a name; type a few words.")
        for number, (question, answer) in enumerate(self.examples, 1):
            if not question.strip() or not answer.strip():
                raise PresetError(
                    f"Example {number} of preset {self.name!r} lacks its question or its answer; "
                    "fill in both or remove the example."
                )

    @property
    def few_shot(self) -> list[Message]:
        """The examples as messages of a prompt."""
        return [
            {"role": role, "content": text}
            for example in self.examples
            for role, text in zip(("user", "assistant"), example, strict=True)
        ]

    def to_dict(self) -> dict[str, Any]:
        """JSON form; `from_dict` reads it."""
        order = {} if self.order is None else {"order": [self.order.english, self.order.chinese]}
        return {
            "name": self.name,
            "system": self.system,
            "examples": [list(example) for example in self.examples],
            "sentence": self.sentence,
            **order,
        }

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> "Preset":
        """Read the JSON form. Raises PresetError on anything else."""
        try:
            examples = tuple((str(question), str(answer)) for question, answer in value.get("examples", ()))
            return cls(
                str(value["name"]),
                str(value.get("system", "")),
                examples,
                str(value.get("sentence", "")),
                order=_order(value.get("order")),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as problem:
            raise PresetError(
                f"This is not a preset: {json.dumps(value, ensure_ascii=False)[:200]}"
            ) from problem


BUILT_IN = (
    Preset(
        "Assistant",
        sentence="Answers from what the model knows and from the chosen memory.",
        built_in=True,
    ),
    Preset(
        "Short answers",
        order=SHORT,
        sentence="A short phrase from the documents, whatever the model can do.",
        built_in=True,
    ),
    Preset(
        "Full sentences with sources",
        order=NUMBERED_SENTENCES,
        sentence="Whole sentences, each with the number of the passage it comes from. For models that follow orders.",
        built_in=True,
    ),
    Preset(
        "Only from the documents",
        "Answer only from the context. Give the exact name or number. "
        "When the context does not hold the answer, say: I cannot find that in the documents.",
        sentence="Short answers that keep to the passages, and say so when they do not hold the answer.",
        built_in=True,
    ),
    Preset(
        "Translator English ⇄ Chinese",
        "Translate English into Chinese, and Chinese into English. Reply with the translation alone.",
        (
            ("Good morning.", "早上好。"),
            ("谢谢你的帮助。", "Thank you for your help."),
            ("Where is the station?", "车站在哪里？"),
            ("我明天不来。", "I am not coming tomorrow."),
        ),
        sentence="Few-shot: four worked examples show the task better than its description.",
        built_in=True,
    ),
    Preset(
        "Spam or not",
        'Label the message. Reply with one word: "spam" or "normal".',
        (
            ("You have won a free cruise! Click here to claim it today.", "spam"),
            ("Can we move our meeting to three o'clock?", "normal"),
            ("Cheap pills, no prescription, order now!!!", "spam"),
            ("The report is attached. Tell me what you think.", "normal"),
        ),
        sentence="Few-shot classification: the answer is one of two words.",
        built_in=True,
    ),
    Preset(
        "Names, places, organisations",
        "List the entities of the text, one a line, as TYPE: NAME. Types are PERSON, PLACE, ORGANISATION.",
        (
            (
                "Maria Lopez joined Acme in Lisbon last spring.",
                "PERSON: Maria Lopez\nORGANISATION: Acme\nPLACE: Lisbon",
            ),
            ("The river Elbe flows through Dresden.", "PLACE: Elbe\nPLACE: Dresden"),
            ("Globex hired Tom Reed.", "ORGANISATION: Globex\nPERSON: Tom Reed"),
        ),
        sentence="Few-shot extraction: the examples fix the form of the answer.",
        built_in=True,
    ),
)


def _order(value: Any) -> Order | None:
    if value is None:
        return None
    english, chinese = value
    return Order(str(english), str(chinese)) if f"{english}{chinese}".strip() else None


class Presets:
    """The built-in presets and a person's own, stored in `prompts.json` of the home."""

    def __init__(self, home: Path) -> None:
        self.path = home / "prompts.json"

    def list(self) -> "list[Preset]":
        """Built-in presets first, each replaced by an own preset of the same name, then the other own ones."""
        own = self._read()
        shown = [own.pop(preset.name, preset) for preset in BUILT_IN]
        return [*shown, *own.values()]

    def get(self, name: str) -> Preset:
        """The preset called `name`. Raises PresetError naming those there are."""
        for preset in self.list():
            if preset.name == name:
                return preset
        names = ", ".join(preset.name for preset in self.list())
        raise PresetError(f"There is no preset {name!r}; there are {names}.")

    def save(self, preset: Preset) -> None:
        """Store a preset under its name; replaces an own one of that name."""
        own = self._read()
        own[preset.name] = preset
        self._write(own)

    def delete(self, name: str) -> None:
        """Delete an own preset; a built-in one of that name shows again. Raises PresetError."""
        own = self._read()
        if name not in own:
            built_in = any(preset.name == name for preset in BUILT_IN)
            raise PresetError(
                f"{name!r} is built in and stays." if built_in else f"There is no preset {name!r} to delete."
            )
        del own[name]
        self._write(own)

    def _read(self) -> dict[str, Preset]:
        try:
            values = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError) as problem:
            raise PresetError(f"{self.path} cannot be read: {problem}. Repair or delete it.") from problem
        if not isinstance(values, list):
            raise PresetError(f"{self.path} holds no list of presets. Repair or delete it.")
        return {preset.name: preset for preset in map(Preset.from_dict, values)}

    def _write(self, own: dict[str, Preset]) -> None:
        write_json(self.path, [preset.to_dict() for preset in own.values()], PresetError)
