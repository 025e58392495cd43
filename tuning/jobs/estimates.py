"""What a job will take: its plan, times what earlier jobs or a calibration took on this machine. Trains nothing."""

import math
import statistics
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from tuning.config import DEFAULT_BASE, TuneConfig
from tuning.data.examples import Example, Message
from tuning.errors import MethodError, ModelError
from tuning.evaluation.reading_questions import READING
from tuning.evaluation.retention_questions import RETENTION
from tuning.jobs.rates import Measured, Rates
from tuning.storage import read_json, write_json

if TYPE_CHECKING:
    from tuning.models.shape import ModelShape
    from tuning.models.template import Template
    from tuning.training.recipe import Recipe

HISTORY, CALIBRATED = "measured.json", "calibrated.json"
MAX_HISTORY = 20  # jobs of one kind in the history
TEMPLATE_TOKENS = 40  # roles and a default system prompt around one question and answer
CHARACTERS_PER_TOKEN, TOKENS_PER_CJK_CHARACTER = 4.0, 1.6
REPLAY_TOKENS, EXERCISE_TOKENS = 30, 100  # of a general prompt with its answer, and of an exercise in reading
MANY_EXAMPLES = 100
GENERAL_QUESTIONS = len(RETENTION) + len(READING)  # asked at the end of every job
UNTAUGHT_WORDINGS = 3  # of a question that brings none of its own
MAX_EARLIER = 100  # examples of earlier rounds that are asked again
EARLY_SHARE = (
    0.85  # of the steps, where everything may be known before their end: the first chance is at 0.75
)
ROUGH = "a rough guess: this machine was too busy to time a few steps"
TYPICAL = "a typical machine of two cores; the first job measures this one"
TIMED = "measured on this machine in a few steps; earlier jobs will say more"
GIVEN_UP = "|given up"  # after a kind of job: its few steps could not be timed


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
    rough: bool = False  # timing it was given up, since this machine was busy

    def to_dict(self) -> dict[str, Any]:
        """All fields, for JSON."""
        return asdict(self)


def estimate(
    home: Path, config: TuneConfig, examples: Sequence[Example], earlier: Sequence[Example] = ()
) -> Estimate:
    """The time and memory of a job, with the basis of both; `earlier` is what the rounds before it taught."""
    steps, tokens = amounts(home, config, examples, earlier)
    answers = 2 * questions_of(examples) + GENERAL_QUESTIONS + min(MAX_EARLIER, len(earlier))
    return estimated(home, config, steps, tokens, answers)


def estimated(home: Path, config: TuneConfig, steps: int, tokens: int, answers: int) -> Estimate:
    """The time and memory of a job of so many steps and tokens that asks so many questions at its end."""
    from tuning.training.replay import REPLAYED  # imports torch, as below

    device = config.device or best_device()
    known = measured(home, config, device)
    rates, basis = _rates(home, config, device, known)
    share = EARLY_SHARE if config.early_stop else 1.0
    if config.early_stop and known:
        share = statistics.median(one.done for one in known)
    answered = _has_answered(home, config, device)
    answers += 0 if answered else GENERAL_QUESTIONS
    replayed = 0 if answered or not recipe_of(home, config).replay else REPLAYED
    phases = {
        "preparing": rates.prepare_seconds + replayed * rates.replay_seconds,
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
        rough=is_given_up(home, config) and not is_known(home, config),
    )


def _rates(home: Path, config: TuneConfig, device: str, known: Sequence[Measured]) -> tuple[Rates, str]:
    """What one of each takes, and how that is known."""
    if known:
        plural = "job" if len(known) == 1 else f"{len(known)} jobs"
        basis = f"measured on this machine in the last {plural} with {config.method} on {config.base}"
        return Rates.middle([one.rates for one in known]), basis
    calibrated = read_json(home / "jobs" / CALIBRATED).get(_kind(config, device))
    if calibrated:
        return Rates(**calibrated), TIMED
    if is_given_up(home, config):
        return typical_rates(home, config), ROUGH
    return typical_rates(home, config), TYPICAL


def typical_rates(home: Path, config: TuneConfig) -> Rates:
    """What is assumed where nothing was measured."""
    shape, device = _shape(home, config.base), config.device or best_device()
    return Rates.typical(shape, device, full=config.method == "full", convert=not is_at_hand(home, config))


def is_given_up(home: Path, config: TuneConfig) -> bool:
    """Whether the few steps of this kind of job could not be timed, since the machine was busy."""
    kind = _kind(config, config.device or best_device())
    return f"{kind}{GIVEN_UP}" in read_json(home / "jobs" / CALIBRATED)


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
    beside = recipe.replay * REPLAY_TOKENS + recipe.reading * EXERCISE_TOKENS
    return steps, recipe.epochs * learned + round(steps * beside)


def recipe_of(home: Path, config: TuneConfig, examples: int = MANY_EXAMPLES) -> "Recipe":
    """The amounts and rates that a run would take, from the method and the size of its base."""
    # Torch and transformers take seconds to import; listing and cancelling jobs must not wait for them.
    from tuning.training.methods import amounts

    return amounts(config, hidden_size(home, config.base), examples)


def hidden_size(home: Path, base: str) -> int:
    """The width of a base, or of the default where it is not known yet."""
    return _shape(home, base).hidden


def is_at_hand(home: Path, config: TuneConfig) -> bool:
    """Whether the base can be read without converting or fetching it."""
    from tuning.models.sizes import weights_folder  # imports torch, as above

    return weights_folder(config.base, home) is not None


@lru_cache(maxsize=4)
def _template(home: Path, base: str) -> "Template":
    from tuning.models.template import Template  # as above

    return Template.read(base, home)


def questions_of(examples: Sequence[Example]) -> int:
    """How many questions the evaluation asks about the examples."""
    return sum(1 + (len(e.probes) or UNTAUGHT_WORDINGS) for e in examples)


def tokens_of(example: Example, system_prompt: str = "") -> int:
    """About how many tokens an example has, without opening a tokenizer."""
    return tokens_of_text([{"role": "system", "content": system_prompt}, *example.messages])


def tokens_of_text(messages: Iterable[Message]) -> int:
    """About how many tokens a conversation has, without opening a tokenizer."""
    text = "".join(m["content"] for m in messages)
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
        found.pop(f"{_kind(config, device)}{GIVEN_UP}", None)


def remember_given_up(home: Path, config: TuneConfig) -> None:
    """Keep that a calibration came to no end, for estimates to say that they are rough."""
    with _updated(home, CALIBRATED) as found:
        found[f"{_kind(config, config.device or best_device())}{GIVEN_UP}"] = True


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


def _shape(home: Path, base: str) -> "ModelShape":
    """The sizes of a base; of one that is neither listed nor here those of the default, until it is."""
    from tuning.models.sizes import shape_of  # imports torch, as above

    try:
        return shape_of(base, home)
    except ModelError:
        return shape_of(DEFAULT_BASE, home)


def _kind(config: TuneConfig, device: str) -> str:
    """Jobs that take as long for a token."""
    together = "" if config.processes == 1 else f"|{config.processes} {config.strategy}"
    return f"{device}|{config.base}|{config.method}{together}"
