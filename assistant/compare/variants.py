"""Arms: the ways to answer that are compared. A few are there from the start, a person makes others."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

from assistant.chat.turn import AnswerOptions
from assistant.errors import CompareError

BASE, RAG, GIVEN = "base", "rag", "given"
_MEMORIES = (RAG, GIVEN)
# The kinds that have a colour of their own, from nothing to all that there is.
KINDS = ("base", "documents", "given", "checkpoint", "both")


class StoredCheckpoint(Protocol):
    """What is read of a checkpoint."""

    @property
    def name(self) -> str: ...
    @property
    def method(self) -> str: ...


@dataclass(frozen=True)
class Variant:
    """One way to answer. What is None is as it is everywhere else at the time of the comparison."""

    name: str
    documents: bool = False
    checkpoint: str | None = None
    # The passage that holds the answer is given by hand: what documents could reach at best.
    given: bool = False
    knowledge_base: str | None = None
    # How many passages are looked up.
    passages: int | None = None
    system_prompt: str | None = None
    # Worked examples: question, answer.
    examples: tuple[tuple[str, str], ...] | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_new_tokens: int | None = None
    seed: int | None = None

    def how(self, common: AnswerOptions, passage: str = "") -> AnswerOptions:
        """The arm's way to answer, everything else as in `common`; `passage` is the one to give by hand."""
        documents = self.documents and not self.given
        if self.checkpoint is None:
            memory = "documents" if documents else "nothing"
        else:
            memory = "both" if documents else "checkpoint"
        own = {
            name: getattr(self, name)
            for name in (
                "knowledge_base",
                "passages",
                "system_prompt",
                "temperature",
                "top_p",
                "max_new_tokens",
                "seed",
            )
            if getattr(self, name) is not None
        }
        if self.examples is not None:
            own["few_shot"] = tuple(
                {"role": role, "content": text}
                for example in self.examples
                for role, text in zip(("user", "assistant"), example, strict=True)
            )
        given = (passage,) if self.given and passage.strip() else ()
        way = {"memory": memory, "checkpoint": self.checkpoint, "given": given, **own}
        return replace(common, **way)

    @property
    def kind(self) -> str:
        """One of KINDS."""
        if self.checkpoint is not None:
            return "both" if self.documents or self.given else "checkpoint"
        return "given" if self.given else "documents" if self.documents else "base"

    @property
    def is_plain(self) -> bool:
        """Whether its name says all of it, as the command line's do."""
        return self == Variant(self.name, self.documents, self.checkpoint, self.given)

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
            return cls(**values)
        except (TypeError, ValueError) as error:
            said = json.dumps(record, ensure_ascii=False)[:200]
            raise CompareError(f"This is no arm: {said} ({error}).") from error


def presets(checkpoints: Sequence[StoredCheckpoint]) -> tuple[Variant, ...]:
    """The arms that are always there: for the base, and for the newest LoRA and P-Tuning v2 checkpoint."""
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
    arm: Variant, checkpoints: Iterable[str], knowledge_bases: Iterable[str], default_base: str
) -> str:
    """What the arm needs and is not there any more, as a sentence; empty where nothing is missing."""
    if arm.checkpoint is not None and arm.checkpoint not in checkpoints:
        return f"The checkpoint {arm.checkpoint!r} of arm {arm.name!r} is gone, or is of another model."
    base = arm.knowledge_base or default_base
    if arm.documents and base not in knowledge_bases:
        if arm.knowledge_base is None:
            return (
                f"Arm {arm.name!r} has nothing to read: the knowledge base {base!r} holds no documents yet."
            )
        return f"The knowledge base {base!r} of arm {arm.name!r} is gone."
    return ""


def require(
    arms: Iterable[Variant], checkpoints: Sequence[str], knowledge_bases: Sequence[str], default_base: str
) -> None:
    """Raise CompareError before anything is asked when an arm cannot answer."""
    for arm in arms:
        if problem := missing(arm, checkpoints, knowledge_bases, default_base):
            raise CompareError(f"{problem} Take the arm out, or choose another for it.")


def parse_variants(
    text: str, checkpoints: Sequence[str], saved: Sequence[Variant] = ()
) -> tuple[Variant, ...]:
    """The arms of `base,rag,NAME,NAME+rag`, and saved ones by name. Raises CompareError for any other."""
    names = [" ".join(name.split()) for name in text.split(",") if name.strip()]
    own = {arm.name: arm for arm in saved}
    arms = tuple(own.get(name) or _arm(name, checkpoints) for name in names)
    if not arms:
        raise CompareError(f"No arm in {text!r}. Give some of base, rag, base+given, NAME, NAME+rag.")
    if len({arm.name for arm in arms}) < len(arms):
        raise CompareError(f"An arm is named twice in {text!r}. Name each once.")
    return arms


def _arm(name: str, checkpoints: Sequence[str]) -> Variant:
    if name in (BASE, RAG):
        return Variant(name, documents=name == RAG)
    checkpoint, plus, memory = (part.strip() for part in name.rpartition("+"))
    if not plus or memory not in _MEMORIES:
        checkpoint, memory = name, ""
    documents, given = memory == RAG, memory == GIVEN
    if checkpoint == BASE and memory:
        return Variant(f"{BASE}+{memory}", documents, None, given)
    if checkpoint not in checkpoints:
        known = ", ".join(checkpoints) or "none yet"
        raise CompareError(
            f"Arm {name!r} names no checkpoint of the open model. There are: {known}. "
            "An arm is base, rag, base+given, NAME, NAME+rag, NAME+given or one that you saved."
        )
    return Variant(f"{checkpoint}+{memory}" if memory else checkpoint, documents, checkpoint, given)
