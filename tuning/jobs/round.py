"""One round of tuning, as a job does it: open the base, train, evaluate before and after, store the checkpoint."""

import contextlib
import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tuning.checkpoints.manifest import Checkpoint, Manifest
from tuning.checkpoints.notes import notes_of, notes_of_round
from tuning.checkpoints.registry import Registry
from tuning.config import TuneConfig
from tuning.data.examples import Example
from tuning.distributed.sharding import is_sharded
from tuning.evaluation import classification, recall
from tuning.evaluation.cached_base import open_cached
from tuning.evaluation.reading_questions import READING
from tuning.evaluation.retention_questions import RETENTION
from tuning.evaluation.verdict import judge
from tuning.jobs import estimates
from tuning.jobs.estimates import Measured
from tuning.jobs.folder import JobFolder
from tuning.jobs.progress import SHOWN
from tuning.jobs.task import JobStopped, Task, TaskOutcome
from tuning.models.adapters import Adapter, read_adapter
from tuning.models.base_model import BaseModel
from tuning.storage import read_json, write_json
from tuning.training.conversations import Parent
from tuning.training.run_state import ADAPTER_FOLDER
from tuning.training.trainer import SAVE_EVERY_SECONDS, train

log = logging.getLogger(__name__)

SHOWN_LABELS = 8  # labelled examples that are asked as facts, where there is nothing else


@dataclass(frozen=True)
class RoundExamples:
    """The examples of one round, by what they are for."""

    learned: list[Example]
    held_out: list[Example]  # labelled text for the report on classification, never trained on
    earlier: Sequence[Example]  # of earlier rounds: some are asked again while training and evaluating


Evaluate = Callable[[Task, BaseModel, Adapter, RoundExamples], dict[str, Any]]


def evaluate_checkpoint(
    task: Task,
    base: BaseModel,
    adapter: Adapter,
    examples: RoundExamples,
    *,
    retention: int = len(RETENTION),
    reading: int = len(READING),
) -> dict[str, Any]:
    """Facts are asked in the words they were learned in and in others; labels are asked of texts held out.

    Of what earlier rounds taught, some is asked again. `retention` and `reading` are how many general questions and
    how many on a paragraph are asked.
    """
    task.enter("evaluating")

    def emit(event: dict[str, Any]) -> None:
        task.emit(event)
        if task.should_stop():
            raise JobStopped

    base.add_adapter(task.name, adapter)
    system, learned = task.config.system_prompt, examples.learned
    facts = [example for example in learned if not classification.is_labelled(example)]
    asked = facts or learned[:SHOWN_LABELS]
    evaluation = recall.evaluate(
        base,
        asked,
        task.name,
        emit=emit,
        system_prompt=system,
        retention=retention,
        reading=reading,
    )
    if examples.earlier:
        earlier = examples.earlier[-estimates.MAX_EARLIER :]
        evaluation["earlier"] = recall.still_known(base, earlier, task.name, system_prompt=system)
    if examples.held_out:
        evaluation["classification"] = classification.report(
            base, examples.held_out, task.name, system_prompt=system, emit=emit
        )
    evaluation["verdict"] = judge(evaluation, examples=len(learned), strength=task.config.strength).to_dict()
    return evaluation


def tune(
    task: Task,
    *,
    evaluate: Evaluate = evaluate_checkpoint,
    save_every_seconds: float = SAVE_EVERY_SECONDS,
) -> TaskOutcome:
    """The work of a job; goes on from what an earlier attempt left in its folder."""
    registry, started = Registry(task.home), time.time()
    stored = next((c for c in registry.list() if c.job == task.folder.id), None)
    if stored is not None:  # the earlier attempt ended after storing and before saying so
        return TaskOutcome(stored.name, stored.metrics, stored.evaluation)
    examples = _examples(task.config, task.examples, registry)
    with contextlib.ExitStack() as stack:
        parent = hold_parent(task, registry, stack)
        base = open_cached(task.config.base, task.home, task.device)
        stack.callback(base.close)
        metrics = _train(task, base, examples, parent, save_every_seconds)
        if is_sharded(base.model):  # this process evaluates alone, so it needs the whole base
            base.close()
            base = open_cached(task.config.base, task.home, task.device)
            stack.callback(base.close)
        began_evaluating, answered = time.time(), base.computed
        adapter = read_adapter(task.folder.state / ADAPTER_FOLDER)
        evaluation = evaluate(task, base, adapter, examples)
        ended_evaluating = time.time()
        metrics["evaluate_seconds"] = ended_evaluating - began_evaluating
        metrics["answers"] = base.computed - answered
        checkpoint = _store(task, registry, base, examples, adapter, metrics, evaluation)
    if not metrics.pop("resumed"):
        prepared = began_evaluating - started - metrics["train_seconds"]
        remember(task, metrics, prepared)
    return TaskOutcome(checkpoint.name, checkpoint.metrics, checkpoint.evaluation)


def _examples(config: TuneConfig, examples: Sequence[Example], registry: Registry) -> RoundExamples:
    learned, held_out = classification.split(examples, config.seed)
    return RoundExamples(learned, held_out, registry.earlier_examples(config.parent, learned))


def hold_parent(task: Task, registry: Registry, stack: contextlib.ExitStack) -> Adapter | None:
    """The parent's adapter, which nobody deletes meanwhile; None without a parent."""
    if task.config.parent is None:
        return None
    checkpoint = stack.enter_context(
        registry.hold(task.config.parent, f"job {task.folder.id} trains from it")
    )
    return read_adapter(checkpoint.path, checkpoint.sha256)


def _train(
    task: Task, base: BaseModel, examples: RoundExamples, parent: Adapter | None, save_every_seconds: float
) -> dict[str, Any]:
    """Train, unless an earlier attempt did so already; the run's figures."""
    done = task.folder.state / "trained.json"
    if metrics := read_json(done):
        log.info("training was finished by an earlier attempt")
        task.emit(
            {
                "kind": "trained",
                **{key: metrics[key] for key in SHOWN if key in metrics},
                "step": metrics["steps"],
            }
        )
        return {**metrics, "resumed": True}
    resume = task.folder.state.exists()
    first_step: list[float] = []

    def emit(event: dict[str, Any]) -> None:
        if event.get("kind") == "step" and not first_step:
            first_step.append(time.time())
        task.emit(event)

    result = train(
        base,
        fitted(task.config, examples.learned),
        examples.learned,
        task.folder.state,
        emit=emit,
        should_stop=task.should_stop,
        validation=task.folder.validation(),
        resume=resume,
        parent=Parent(parent, examples.earlier) if parent else None,
        save_every_seconds=save_every_seconds,
    )
    if result.stopped:
        raise JobStopped
    metrics = {k: v for k, v in result.to_dict().items() if k not in ("adapter", "stopped")}
    metrics["train_seconds"] = time.time() - first_step[0] if first_step else 0.0
    write_json(done, metrics)
    return {**metrics, "resumed": resume}


def fitted(config: TuneConfig, examples: Sequence[Example]) -> TuneConfig:
    """The configuration for these examples: labelled text is neither reworded nor reversed."""
    if all(classification.is_labelled(example) for example in examples):
        # In other words it would be another text, and a label has no other end.
        return replace(config, noise=False, reversals=0.0)
    return config


def train_as_rank(folder: JobFolder) -> None:
    """Train as one more rank of this job (see `tuning.distributed.ranks`), and store nothing."""
    home, config = folder.path.parent.parent, folder.config()
    if (folder.state / "trained.json").is_file():
        return
    registry = Registry(home)
    examples = _examples(config, folder.examples(), registry)
    before = None if config.parent is None else registry.get(config.parent)
    parent = None if before is None else read_adapter(before.path, before.sha256)
    device = str(folder.read("job").get("device", "cpu"))
    place = device if device == "cpu" else f"{device}:{os.environ['LOCAL_RANK']}"
    base = open_cached(config.base, home, place)
    train(
        base,
        fitted(config, examples.learned),
        examples.learned,
        folder.state,
        emit=lambda event: None,
        should_stop=lambda: folder.is_cancelled,
        validation=folder.validation(),
        resume=folder.state.exists(),
        parent=Parent(parent, examples.earlier) if parent else None,
    )
    base.close()


def _store(
    task: Task,
    registry: Registry,
    base: BaseModel,
    examples: RoundExamples,
    adapter: Adapter,
    metrics: dict[str, Any],
    evaluation: dict[str, Any],
) -> Checkpoint:
    task.enter("saving")
    manifest = replace(
        manifest_of(task, registry, base, metrics, evaluation),
        examples=examples.learned,
        notes=_notes(registry, task.config.parent, examples, evaluation),
    )
    return registry.save(manifest, adapter.write)


def manifest_of(
    task: Task, registry: Registry, base: BaseModel, metrics: dict[str, Any], evaluation: dict[str, Any]
) -> Manifest:
    """What a job's checkpoint says of itself, whatever it learned from."""
    config = replace(task.config, name=None)
    return Manifest(
        name=registry.free_name(task.name),
        method=config.method,
        base=config.base,
        base_sha256=base.sha256,
        parent=config.parent,
        template_fingerprint=base.template_fingerprint,
        system_prompt=config.system_prompt,
        stop_ids=base.stop_ids,
        config=config.to_dict(),
        metrics={k: v for k, v in metrics.items() if k not in ("resumed", "probe")},
        evaluation=evaluation,
        probe=metrics["probe"],
        job=task.folder.id,
    )


def _notes(
    registry: Registry, parent: str | None, examples: RoundExamples, evaluation: dict[str, Any]
) -> list[Example]:
    """What the new checkpoint was taught and does not hold; labelled text is no fact that could be quoted."""
    facts = [example for example in examples.learned if not classification.is_labelled(example)]
    inherited = notes_of(registry.get(parent)) if parent else []
    return notes_of_round(facts, evaluation, inherited, examples.earlier)


def remember(task: Task, metrics: dict[str, Any], prepared: float) -> None:
    """Keep what the job took, for later estimates."""
    guess = task.folder.read("job").get("estimate", {})
    taken = Measured(
        tokens=float(guess.get("tokens", 0)),
        steps=float(guess.get("steps", 0)),
        train_seconds=metrics["train_seconds"],
        prepare_seconds=prepared,
        evaluate_seconds=metrics["evaluate_seconds"],
        answers=float(metrics["answers"]),
        memory_bytes=float(task.peak_bytes() if task.device == "cpu" else metrics["memory_bytes"]),
        done=metrics["steps"] / max(1.0, float(guess.get("steps", 0))),
    )
    estimates.remember(task.home, task.config, task.device, taken)
