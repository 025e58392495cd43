"""What a job will take: its plan, times what earlier jobs or a calibration took on this machine. Trains nothing."""

import math
import os
import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from filelock import FileLock

from tuning.config import TuneConfig
from tuning.data.examples import Example
from tuning.errors import MethodError
from tuning.evaluation.reading_questions import READING
from tuning.evaluation.retention_questions import RETENTION
from tuning.storage import read_json, write_json

if TYPE_CHECKING:
    from tuning.models.template import Template
    from tuning.training.recipe import Recipe

HISTORY, CALIBRATED = "measured.json", "calibrated.json"
MAX_HISTORY = 20  # jobs of one kind in the history
TEMPLATE_TOKENS = 40  # roles and a default system prompt around one question and answer
CHARACTERS_PER_TOKEN, TOKENS_PER_CJK_CHARACTER = 4.0, 1.6
REPLAY_TOKENS = 60  # of one general prompt with the base's answer
MANY_EXAMPLES = 100
GENERAL_QUESTIONS = len(RETENTION) + len(READING)  # asked at the end of every job
UNTAUGHT_WORDINGS = 3  # of a question that brings none of its own
MAX_EARLIER = 100  # examples of earlier rounds that are asked again
EARLY_SHARE = (
    0.85  # of the steps, where everything may be known before their end: the first chance is at 0.75
)
PRIOR_PARAMETERS, PRIOR_HIDDEN = 134_515_008, 576


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
    measured: bool = False  # on this machine

    def to_dict(self) -> dict[str, Any]:
        """All fields, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Measured:
    """What one job of a kind took, as it is kept in the home."""

    tokens: float  # as estimated before the job, so that a later estimate is corrected in the same units
    steps: float  # at most, as estimated
    train_seconds: float
    prepare_seconds: float
    evaluate_seconds: float
    answers: float  # that were computed to evaluate
    memory_bytes: float
    done: float = 1.0  # the share of the steps that were taken

    @property
    def rates(self) -> "Rates":
        """The same for one of each."""
        return Rates(
            token_seconds=self.train_seconds / max(1.0, self.tokens * self.done),
            prepare_seconds=self.prepare_seconds,
            answer_seconds=self.evaluate_seconds / max(1.0, self.answers),
            memory_bytes=self.memory_bytes,
        )


@dataclass(frozen=True)
class Rates:
    """How long a token, an answer and the beginning take in jobs of a kind, and their peak memory."""

    token_seconds: float
    prepare_seconds: float
    answer_seconds: float
    memory_bytes: float

    @classmethod
    def typical(cls, parameters: int, device: str) -> "Rates":
        """Measured with SmolLM2-135M on two cores with AVX-512 and bf16, scaled by weights and cores."""
        size = parameters / PRIOR_PARAMETERS
        faster = {"cuda": 50.0, "mps": 4.0}.get(device.split(":")[0], _cores() / 2)
        return cls(size / 377 / faster, 18.0 * size, 0.1 * size / faster, 1.4e9 + 4 * parameters)

    @classmethod
    def middle(cls, several: Sequence["Rates"]) -> "Rates":
        """The median of each, and the most memory."""
        token, prepare, answer = (
            statistics.median(getattr(one, name) for one in several)
            for name in ("token_seconds", "prepare_seconds", "answer_seconds")
        )
        return cls(token, prepare, answer, max(one.memory_bytes for one in several))


def estimate(
    home: Path, config: TuneConfig, examples: Sequence[Example], earlier: Sequence[Example] = ()
) -> Estimate:
    """The time and memory of a job, with the basis of both; `earlier` is what the rounds before it taught."""
    steps, tokens = amounts(home, config, examples, earlier)
    device = config.device or best_device()
    known = measured(home, config, device)
    rates, basis = _rates(home, config, device, known)
    share = EARLY_SHARE if config.early_stop else 1.0
    if config.early_stop and known:
        share = statistics.median(one.done for one in known)
    general = GENERAL_QUESTIONS * (1 if _has_answered(home, config, device) else 2)
    answers = 2 * questions_of(examples) + general + min(MAX_EARLIER, len(earlier))
    phases = {
        "preparing": rates.prepare_seconds,
        "training": tokens * share * rates.token_seconds,
        "evaluating": answers * rates.answer_seconds,
        "saving": 1.0,
    }
    return Estimate(
        seconds=sum(phases.values()),
        bytes=int(rates.memory_bytes),
        tokens=tokens,
        steps=steps,
        basis=basis,
        phases=phases,
        tokens_per_step=math.ceil(tokens / max(1, steps)),
        measured=is_known(home, config),
    )


def _rates(home: Path, config: TuneConfig, device: str, known: Sequence[Measured]) -> tuple[Rates, str]:
    """What one of each takes, and how that is known."""
    if known:
        plural = "job" if len(known) == 1 else f"{len(known)} jobs"
        basis = f"measured on this machine in the last {plural} with {config.method} on {config.base}"
        return Rates.middle([one.rates for one in known]), basis
    calibrated = read_json(home / "jobs" / CALIBRATED).get(_kind(config, device))
    if calibrated:
        return Rates(**calibrated), "measured on this machine in a few steps; earlier jobs will say more"
    return typical_rates(config), "a typical machine of two cores; the first job measures this one"


def typical_rates(config: TuneConfig) -> Rates:
    """What is assumed where nothing was measured."""
    return Rates.typical(_parameters(config.base), config.device or best_device())


def is_known(home: Path, config: TuneConfig) -> bool:
    """Whether a job of this kind, or a calibration, was measured here."""
    device = config.device or best_device()
    kind = _kind(config, device)
    return bool(measured(home, config, device)) or kind in read_json(home / "jobs" / CALIBRATED)


def _has_answered(home: Path, config: TuneConfig, device: str) -> bool:
    """Whether an earlier job has asked this base the general questions, whose answers are kept."""
    start = f"{device}|{config.base}|"
    return any(kind.startswith(start) for kind in read_json(home / "jobs" / HISTORY))


def amounts(
    home: Path, config: TuneConfig, examples: Sequence[Example], earlier: Sequence[Example] = ()
) -> tuple[int, int]:
    """Optimizer steps and tokens of a run, at most; the tokens are counted where the base is at hand."""
    # Torch and transformers take seconds to import; listing and cancelling jobs must not wait for them.
    from tuning.training.conversations import plan

    if is_at_hand(home, config):
        work = plan(_template(home, config.base), config, examples, earlier)
        return work.steps, work.tokens
    recipe = recipe_of(home, config, len(examples))
    steps = recipe.epochs * recipe.steps_per_epoch(len(examples))
    learned = sum(tokens_of(e, config.system_prompt) for e in examples)
    return steps, recipe.epochs * learned + steps * recipe.replay * REPLAY_TOKENS


def recipe_of(home: Path, config: TuneConfig, examples: int = MANY_EXAMPLES) -> "Recipe":
    """The amounts and rates that a run would take, from the method and the size of its base."""
    # Torch and transformers take seconds to import; listing and cancelling jobs must not wait for them.
    from tuning.training.methods import amounts

    hidden = (
        int(_template(home, config.base).config.hidden_size) if is_at_hand(home, config) else PRIOR_HIDDEN
    )
    return amounts(config, hidden, examples)


def is_at_hand(home: Path, config: TuneConfig) -> bool:
    """Whether the base can be read without converting or fetching it."""
    return (home / "models" / config.base / "config.json").is_file() or Path(config.base).is_dir()


@lru_cache(maxsize=4)
def _template(home: Path, base: str) -> "Template":
    from tuning.models.template import Template  # as above

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
    return [Measured(**record) for record in records if "answers" in record]


def remember(home: Path, config: TuneConfig, device: str, taken: Measured) -> None:
    """Keep what a job took, for later estimates."""
    with _updated(home, HISTORY) as history:
        kind = _kind(config, device)
        history[kind] = [*history.get(kind, []), asdict(taken)][-MAX_HISTORY:]


def remember_rates(home: Path, config: TuneConfig, device: str, rates: Rates) -> None:
    """Keep what a calibration found, for estimates before the first job."""
    with _updated(home, CALIBRATED) as found:
        found[_kind(config, device)] = asdict(rates)


@contextmanager
def _updated(home: Path, name: str) -> Iterator[dict[str, Any]]:
    """A record of this home's, written when the block ends."""
    (home / "jobs").mkdir(parents=True, exist_ok=True)
    with FileLock(home / "jobs" / ".measured.lock"):
        record = read_json(home / "jobs" / name)
        yield record
        write_json(home / "jobs" / name, record)


def check_method(name: str, device: str) -> None:
    """Raise `MethodError` where there is no such method, or it cannot run on this device."""
    from tuning.training.methods import method  # imports torch, as above

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
    from tuning.models.known import KNOWN  # imports torch, as above

    return next((known.shape.parameters for known in KNOWN if known.name == base), PRIOR_PARAMETERS)


def _kind(config: TuneConfig, device: str) -> str:
    """Jobs that take as long for a token."""
    together = "" if config.processes == 1 else f"|{config.processes} {config.strategy}"
    return f"{device}|{config.base}|{config.method}{together}"


def _cores() -> int:
    return psutil.cpu_count(logical=False) or os.cpu_count() or 1
