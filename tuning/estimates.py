"""What a job will take, from its plan and from what earlier jobs on this machine took. Trains nothing."""

import math
import os
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from filelock import FileLock

from tuning.config import TuneConfig
from tuning.errors import MethodError
from tuning.examples import Example
from tuning.storage import read_json, write_json

if TYPE_CHECKING:
    from tuning.consolidation import Recipe
    from tuning.models import Template

HISTORY = "measured.json"
KEPT = 20  # jobs of one kind in the history
TEMPLATE_TOKENS = 40  # roles and a default system prompt around one question and answer
CHARACTERS_PER_TOKEN, TOKENS_PER_CJK_CHARACTER = 4.0, 1.6
REPLAY_TOKENS = 60  # of one general prompt with the base's answer
# Measured with SmolLM2-135M on two cores with AVX-512 and bf16; scaled by parameters and cores elsewhere.
MANY_EXAMPLES = 100
PRIOR_PARAMETERS, PRIOR_HIDDEN, PRIOR_CORES = 134_515_008, 576, 2
PRIOR_TOKENS_PER_SECOND = {"cpu": 250.0, "mps": 1500.0, "cuda": 20_000.0}
PRIOR_PREPARE_SECONDS, PRIOR_QUESTION_SECONDS = 30.0, 0.25
PRIOR_GENERAL_QUESTIONS = 200
UNTAUGHT_WORDINGS = 3  # of a question that brings none of its own
RUNTIME_BYTES = 3_000_000_000  # the libraries, a batch of 32 questions, and what malloc keeps of both
BYTES_PER_PARAMETER = 4


@dataclass(frozen=True)
class Estimate:
    """What a job will take, and how that is known."""

    seconds: float
    bytes: int  # peak memory of the worker
    tokens: int  # that pass through the model while training
    steps: int
    basis: str
    phases: dict[str, float] = field(default_factory=dict)  # seconds of each
    tokens_per_step: int = 0

    def to_dict(self) -> dict[str, Any]:
        """All fields, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Measured:
    """What one job of a kind took, as it is kept in the home."""

    tokens: float  # as estimated before the job, so that a later estimate is corrected in the same units
    steps: float
    train_seconds: float
    prepare_seconds: float
    evaluate_seconds: float
    questions: float
    memory_bytes: float


def estimate(home: Path, config: TuneConfig, examples: Sequence[Example]) -> Estimate:
    """The time and memory of a job, with the basis of both."""
    steps, tokens = amounts(home, config, examples)
    device = config.device or best_device()
    questions = questions_of(examples)
    known = measured(home, config, device)
    if known:
        train = tokens * statistics.median(k.train_seconds / max(1.0, k.tokens) for k in known)
        prepare = statistics.median(k.prepare_seconds for k in known)
        evaluate = _line(questions, known)
        memory = int(max(k.memory_bytes for k in known))
        plural = "job" if len(known) == 1 else f"{len(known)} jobs"
        basis = f"measured on this machine in the last {plural} with {config.method} on {config.base}"
    else:
        size = _parameters(config.base) / PRIOR_PARAMETERS
        rate = PRIOR_TOKENS_PER_SECOND.get(device.split(":")[0], 250.0) / size
        rate *= _cores() / PRIOR_CORES if device == "cpu" else 1.0
        train, prepare = tokens / rate, PRIOR_PREPARE_SECONDS * size
        evaluate = 2 * (questions + PRIOR_GENERAL_QUESTIONS) * PRIOR_QUESTION_SECONDS * size
        memory = RUNTIME_BYTES + int(PRIOR_PARAMETERS * size * BYTES_PER_PARAMETER)
        basis = "a typical machine of two cores; the first job measures this one"
    phases = {"preparing": prepare, "training": train, "evaluating": evaluate, "saving": 1.0}
    per_step = math.ceil(tokens / max(1, steps))
    return Estimate(sum(phases.values()), memory, tokens, steps, basis, phases, per_step)


def amounts(home: Path, config: TuneConfig, examples: Sequence[Example]) -> tuple[int, int]:
    """Optimizer steps and tokens of a run, at most; the tokens are counted where the base is at hand."""
    # Torch and transformers take seconds to import; listing and cancelling jobs must not wait for them.
    from tuning import trainer

    if _at_hand(home, config):
        work = trainer.plan(_template(home, config.base), config, examples)
        return work.steps, work.tokens
    plan = recipe_of(home, config, len(examples))
    steps = plan.epochs * math.ceil(len(examples) / plan.examples_per_step)
    learned = sum(tokens_of(e, config.system_prompt) for e in examples)
    return steps, plan.epochs * learned + steps * plan.replay * REPLAY_TOKENS


def recipe_of(home: Path, config: TuneConfig, examples: int = MANY_EXAMPLES) -> "Recipe":
    """The amounts and rates that a run would take, from the method and the size of its base."""
    # Torch and transformers take seconds to import; listing and cancelling jobs must not wait for them.
    from tuning.methods import amounts

    hidden = int(_template(home, config.base).config.hidden_size) if _at_hand(home, config) else PRIOR_HIDDEN
    return amounts(config, hidden, examples)


def _at_hand(home: Path, config: TuneConfig) -> bool:
    """Whether the base can be read without converting or fetching it."""
    return (home / "models" / config.base / "config.json").is_file() or Path(config.base).is_dir()


@lru_cache(maxsize=4)
def _template(home: Path, base: str) -> "Template":
    from tuning.models import Template  # as above

    return Template.read(base, home)


def questions_of(examples: Sequence[Example]) -> int:
    """How many questions the evaluation asks about the examples."""
    return sum(1 + (len(e.probes) or UNTAUGHT_WORDINGS) for e in examples)


def tokens_of(example: Example, system_prompt: str = "") -> int:
    """About how many tokens an example has, without opening a tokenizer."""
    text = system_prompt + "".join(m["content"] for m in example.messages)
    cjk = sum("\u2e80" <= c <= "\u9fff" or "\uac00" <= c <= "\ud7af" for c in text)
    return round((len(text) - cjk) / CHARACTERS_PER_TOKEN + cjk * TOKENS_PER_CJK_CHARACTER) + TEMPLATE_TOKENS


def measured(home: Path, config: TuneConfig, device: str) -> list[Measured]:
    """What earlier jobs of this kind took on this machine, oldest first."""
    records = read_json(home / "jobs" / HISTORY).get(_kind(config, device), [])
    return [Measured(**record) for record in records]


def remember(home: Path, config: TuneConfig, device: str, taken: Measured) -> None:
    """Keep what a job took, for later estimates."""
    path = home / "jobs" / HISTORY
    with FileLock(home / "jobs" / ".measured.lock"):
        history = read_json(path)
        kind = _kind(config, device)
        history[kind] = [*history.get(kind, []), asdict(taken)][-KEPT:]
        write_json(path, history)


def check_method(name: str, device: str) -> None:
    """Raise `MethodError` where there is no such method, or it cannot run on this device."""
    from tuning.methods import method  # imports torch, as above

    chosen = method(name)
    if chosen.needs_cuda and not device.startswith("cuda"):
        raise MethodError(
            f"{chosen.title} needs a CUDA GPU, but the job would run on {device!r}. Use 'lora'."
        )


def best_device() -> str:
    """Where a job runs when nothing was chosen."""
    import torch  # takes seconds to import; listing and cancelling jobs must not wait for it

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _parameters(base: str) -> int:
    """How many weights a base has, as far as that is known before it is opened."""
    from tuning.catalogue import KNOWN  # imports torch, as above

    return next((known.parameters for known in KNOWN if known.name == base), PRIOR_PARAMETERS)


def _kind(config: TuneConfig, device: str) -> str:
    return f"{device}|{config.base}|{config.method}"


def _line(questions: int, known: Sequence[Measured]) -> float:
    """Seconds of an evaluation: a part that is always there (general questions) and one for each question."""
    per = statistics.median(k.evaluate_seconds / (k.questions + PRIOR_GENERAL_QUESTIONS) for k in known)
    return per * (questions + PRIOR_GENERAL_QUESTIONS)


def _cores() -> int:
    return psutil.cpu_count(logical=False) or os.cpu_count() or 1
