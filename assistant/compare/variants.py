"""Variants: the ways to answer that are compared. Some are built in, others are made by the user.

A variant is a base model or a checkpoint, with or without retrieved passages, and optionally a prompt and sampling
parameters of its own. Files and the command line call them arms (`arms.json`, `--arms`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

from assistant.chat.presets import Order
from assistant.chat.turn import MEMORY_OF, AnswerOptions
from assistant.errors import CompareError

BASE, RAG, GIVEN, NOTES = "base", "rag", "given", "notes"
_SUFFIXES = (RAG, GIVEN)
_OVERRIDES = (
    "knowledge_base",
    "passages",
    "system_prompt",
    "temperature",
    "top_p",
    "max_new_tokens",
    "seed",
)
# What the JSON form holds, beside the examples.
_STORED: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("name", "checkpoint", "knowledge_base", "system_prompt"), (str,)),
    **dict.fromkeys(("documents", "given", "notes"), (bool,)),
    **dict.fromkeys(("passages", "max_new_tokens", "seed"), (int,)),
    **dict.fromkeys(("temperature", "top_p"), (int, float)),
}
# What a variant answers from; each kind has a colour of its own in charts.
KINDS = ("base", "documents", "given", "checkpoint", "both")


class StoredCheckpoint(Protocol):
    """The fields of a checkpoint that a comparison reads."""

    @property
    def name(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def metrics(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True)
class Variant:
    """One way to answer. What is None takes the default of the comparison."""

    name: str
    documents: bool = False
    checkpoint: str | None = None
    # The question's own passage stands in the prompt: the upper bound of what retrieval could reach.
    given: bool = False
    # Notes are quoted, and what the checkpoint holds is answered without passages.
    notes: bool = False
    knowledge_base: str | None = None
    # How many passages are retrieved.
    passages: int | None = None
    system_prompt: str | None = None
    # Worked examples: question, answer.
    examples: tuple[tuple[str, str], ...] | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_new_tokens: int | None = None
    seed: int | None = None

    def answer_options(self, defaults: AnswerOptions, passage: str = "") -> AnswerOptions:
        """The options of this variant over `defaults`; `passage` is what a variant with `given` reads."""
        own = {name: value for name in _OVERRIDES if (value := getattr(self, name)) is not None}
        if self.examples is not None:
            own["few_shot"] = tuple(
                {"role": role, "content": text}
                for example in self.examples
                for role, text in zip(("user", "assistant"), example, strict=True)
            )
        return replace(
            defaults,
            memory=MEMORY_OF[self.documents and not self.given, self.checkpoint is not None],
            checkpoint=self.checkpoint,
            notes=self.notes,
            given=(passage,) if self.given and passage.strip() else (),
            **own,
        )

    @property
    def kind(self) -> str:
        """One of KINDS."""
        if self.checkpoint is not None:
            return "both" if self.documents or self.given else "checkpoint"
        return "given" if self.given else "documents" if self.documents else "base"

    @property
    def is_plain(self) -> bool:
        """Whether its name says all of it, as the names on the command line do."""
        return self == Variant(self.name, self.documents, self.checkpoint, self.given, self.notes)

    def to_dict(self) -> dict[str, Any]:
        """JSON form without what is not set; `from_dict` reads it."""
        values = {key: value for key, value in asdict(self).items() if value not in (None, False)}
        if self.examples is not None:
            values["examples"] = [list(example) for example in self.examples]
        return values

    @classmethod
    def from_dict(cls, record: Any) -> "Variant":
        """Read the JSON form. Raises CompareError."""
        try:
            values = dict(record)
            if values.get("examples") is not None:
                values["examples"] = tuple((str(q), str(a)) for q, a in values["examples"])
            wrong = [
                key for key, kinds in _STORED.items() if not isinstance(values.get(key), (*kinds, type(None)))
            ]
            if wrong or not values["name"]:
                raise ValueError(f"{', '.join(wrong) or 'name'} cannot be used")
            return cls(**values)
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            said = str(record)[:200] if not isinstance(error, RecursionError) else "nested too deeply"
            raise CompareError(f"This is no variant: {said}.") from error


def options_from_dict(record: Mapping[str, Any]) -> AnswerOptions:
    """Read the JSON form of AnswerOptions, `asdict`."""
    lists = {name: tuple(value) for name, value in record.items() if isinstance(value, list)}
    order = Order(**record["order"]) if record.get("order") else None
    return AnswerOptions(**{**record, **lists, "order": order})


def presets(checkpoints: Sequence[StoredCheckpoint]) -> tuple[Variant, ...]:
    """The built-in variants: the base model, then every checkpoint, the newest LoRA and P-Tuning v2 ones first."""
    newest = {checkpoint.method: checkpoint.name for checkpoint in checkpoints}
    chosen = [newest[method] for method in ("lora", "p-tuning-v2") if method in newest]
    others = [name for name in reversed([one.name for one in checkpoints]) if name not in chosen]
    names = [*chosen, *others]
    return (
        Variant(BASE),
        Variant(RAG, documents=True),
        Variant(f"{BASE}+{GIVEN}", given=True),
        *(Variant(name, checkpoint=name) for name in names),
        *(Variant(f"{name}+{RAG}", documents=True, checkpoint=name) for name in names),
    )


def missing(
    variant: Variant, checkpoints: Iterable[str], knowledge_bases: Iterable[str], default_base: str
) -> str:
    """What the variant needs and is not there any more, as a sentence; empty where nothing is missing."""
    if variant.checkpoint is not None and variant.checkpoint not in checkpoints:
        return f"The checkpoint {variant.checkpoint!r} of variant {variant.name!r} is gone, or is of another model."
    base = variant.knowledge_base or default_base
    if variant.documents and base not in knowledge_bases:
        if variant.knowledge_base is None:
            return f"Variant {variant.name!r} has nothing to read: the knowledge base {base!r} holds no documents yet."
        return f"The knowledge base {base!r} of variant {variant.name!r} is gone."
    return ""


def require(
    variants: Iterable[Variant], checkpoints: Sequence[str], knowledge_bases: Sequence[str], default_base: str
) -> None:
    """Raise CompareError before anything is asked when a variant cannot answer."""
    for variant in variants:
        if problem := missing(variant, checkpoints, knowledge_bases, default_base):
            raise CompareError(f"{problem} Take the variant out, or choose another for it.")


def parse_variants(
    text: str, checkpoints: Sequence[str], saved: Sequence[Variant] = ()
) -> tuple[Variant, ...]:
    """The variants of `base,rag,NAME,NAME+rag`, and saved ones by name. Raises CompareError for any other."""
    names = [" ".join(name.split()) for name in text.split(",") if name.strip()]
    own = {variant.name: variant for variant in saved}
    variants = tuple(own.get(name) or _variant(name, checkpoints) for name in names)
    if not variants:
        raise CompareError(f"No variant in {text!r}. Give some of base, rag, base+given, NAME, NAME+rag.")
    if len({variant.name for variant in variants}) < len(variants):
        raise CompareError(f"A variant is named twice in {text!r}. Name each once.")
    return variants


def _variant(name: str, checkpoints: Sequence[str]) -> Variant:
    plain = name.removesuffix(f"+{NOTES}").rstrip()
    if plain != name:
        return replace(_variant(plain, checkpoints), name=f"{plain}+{NOTES}", notes=True)
    if name in (BASE, RAG):
        return Variant(name, documents=name == RAG)
    checkpoint, plus, memory = (part.strip() for part in name.rpartition("+"))
    if not plus or memory not in _SUFFIXES:
        checkpoint, memory = name, ""
    documents, given = memory == RAG, memory == GIVEN
    if checkpoint == BASE and memory:
        return Variant(f"{BASE}+{memory}", documents, None, given)
    if checkpoint not in checkpoints:
        known = ", ".join(checkpoints) or "none yet"
        raise CompareError(
            f"Variant {name!r} names no checkpoint of the open model. There are: {known}. "
            "A variant is base, rag, base+given, NAME, NAME+rag, NAME+given, any of them with +notes, or one that "
            "you saved."
        )
    return Variant(f"{checkpoint}+{memory}" if memory else checkpoint, documents, checkpoint, given)
