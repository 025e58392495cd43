"""One round of tuning, as a job does it: open the base, train, ask before and after, store the checkpoint."""

import contextlib
import logging
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tuning.checkpoints.manifest import Checkpoint
from tuning.checkpoints.registry import Registry
from tuning.config import TuneConfig
from tuning.data.examples import Example
from tuning.distributed.sharding import is_shared_out
from tuning.evaluation import classification
from tuning.evaluation.cached_base import open_remembering
from tuning.evaluation.recall import evaluate, still_known
from tuning.evaluation.verdict import judge
from tuning.jobs import estimates
from tuning.jobs.estimates import Measured
from tuning.jobs.folder import JobFolder
from tuning.jobs.task import JobStopped, Task, TaskOutcome
from tuning.models.adapters import Adapter, read_adapter
from tuning.models.base_model import BaseModel
from tuning.storage import read_json, write_json
from tuning.training.trainer import ADAPTER_FOLDER, train

log = logging.getLogger(__name__)

FEW = 8


def tune(task: Task) -> TaskOutcome:
    """The work of a job; goes on from what an earlier attempt left in its folder."""
    registry, started = Registry(task.home), time.time()
    stored = next((c for c in registry.list() if c.job == task.folder.id), None)
    if stored is not None:  # the earlier attempt ended after storing and before saying so
        return TaskOutcome(stored.name, stored.metrics, stored.evaluation)
    examples = task.examples
    learned, held_out = classification.split(examples, task.config.seed)
    with contextlib.ExitStack() as stack:
        parent = _hold_parent(task, registry, stack)
        base = open_remembering(task.config.base, task.home, task.device)
        stack.callback(base.close)
        earlier = registry.taught_before(task.config.parent, learned)
        metrics = _train(task, base, learned, parent, earlier)
        if is_shared_out(base.model):  # this process asks alone, so it needs the whole
            base.close()
            base = open_remembering(task.config.base, task.home, task.device)
            stack.callback(base.close)
        began_evaluating, answered = time.time(), base.computed
        adapter = read_adapter(task.folder.state / ADAPTER_FOLDER)
        evaluation = _evaluate(task, base, learned, held_out, adapter, earlier)
        ended_evaluating = time.time()
        metrics["evaluate_seconds"] = ended_evaluating - began_evaluating
        metrics["answers"] = base.computed - answered
        checkpoint = _store(task, registry, base, learned, adapter, metrics, evaluation)
    if not metrics.pop("resumed"):
        prepared = began_evaluating - started - metrics["train_seconds"]
        _remember(task, metrics, prepared)
    return TaskOutcome(checkpoint.name, checkpoint.metrics, checkpoint.evaluation)


def _hold_parent(task: Task, registry: Registry, stack: contextlib.ExitStack) -> Adapter | None:
    if task.config.parent is None:
        return None
    checkpoint = stack.enter_context(
        registry.hold(task.config.parent, f"job {task.folder.id} trains from it")
    )
    return read_adapter(checkpoint.path)


def _train(
    task: Task, base: BaseModel, examples: list[Example], parent: Adapter | None, earlier: Sequence[Example]
) -> dict[str, Any]:
    """Train, unless an earlier attempt did so already; the run's figures."""
    done = task.folder.state / "trained.json"
    if metrics := read_json(done):
        log.info("training was finished by an earlier attempt")
        return {**metrics, "resumed": True}
    resume = task.folder.state.exists()
    first_step: list[float] = []

    def emit(event: dict[str, Any]) -> None:
        if event.get("kind") == "step" and not first_step:
            first_step.append(time.time())
        task.emit(event)

    result = train(
        base,
        _fitting(task.config, examples),
        examples,
        task.folder.state,
        emit=emit,
        should_stop=task.should_stop,
        resume=resume,
        parent=parent,
        earlier=earlier,
    )
    if result.stopped:
        raise JobStopped
    metrics = {k: v for k, v in result.to_dict().items() if k not in ("adapter", "stopped")}
    metrics["train_seconds"] = time.time() - first_step[0] if first_step else 0.0
    write_json(done, metrics)
    return {**metrics, "resumed": resume}


def _fitting(config: TuneConfig, examples: list[Example]) -> TuneConfig:
    if all(classification.is_labelled(example) for example in examples):
        # In other words it would be another text, and a label has no other end.
        return replace(config, noise=False, reversals=0.0)
    return config


def train_as_rank(folder: JobFolder) -> None:
    """Train along with the process that works on this job (see `ranks`), and keep nothing."""
    home, config = folder.path.parent.parent, folder.config()
    if (folder.state / "trained.json").is_file():
        return
    registry = Registry(home)
    learned, _ = classification.split(folder.examples(), config.seed)
    parent = None if config.parent is None else read_adapter(registry.get(config.parent).path)
    device = str(folder.read("job").get("device", "cpu"))
    place = device if device == "cpu" else f"{device}:{os.environ['LOCAL_RANK']}"
    base = open_remembering(config.base, home, place)
    train(
        base,
        _fitting(config, learned),
        learned,
        folder.state,
        emit=lambda event: None,
        should_stop=lambda: folder.is_cancelled,
        resume=folder.state.exists(),
        parent=parent,
        earlier=registry.taught_before(config.parent, learned),
    )
    base.close()


def _evaluate(
    task: Task,
    base: BaseModel,
    learned: list[Example],
    held_out: list[Example],
    adapter: Adapter,
    earlier: Sequence[Example],
) -> dict[str, Any]:
    """Facts are asked in the words they were learned in and in others; labels are asked of texts kept out.

    Of what earlier rounds taught, some is asked again.
    """
    task.enter("evaluating")

    def emit(event: dict[str, Any]) -> None:
        task.emit(event)
        if task.should_stop():
            raise JobStopped

    base.add_adapter(task.name, adapter)
    system = task.config.system_prompt
    facts = [example for example in learned if not classification.is_labelled(example)]
    asked = facts or learned[:FEW]  # a label is no fact: a few show what was learned
    evaluation = evaluate(base, asked, task.name, emit=emit, system_prompt=system)
    if earlier:
        evaluation["earlier"] = still_known(
            base, earlier[-estimates.MAX_EARLIER :], task.name, system_prompt=system
        )
    if held_out:
        evaluation["classification"] = classification.report(
            base, held_out, task.name, system_prompt=system, emit=emit
        )
    evaluation["verdict"] = judge(evaluation, examples=len(learned), strength=task.config.strength).to_dict()
    return evaluation


def _store(
    task: Task,
    registry: Registry,
    base: BaseModel,
    examples: list[Example],
    adapter: Adapter,
    metrics: dict[str, Any],
    evaluation: dict[str, Any],
) -> Checkpoint:
    task.enter("saving")
    config = replace(task.config, name=None)
    return registry.save(
        registry.free_name(task.name),
        write=adapter.write,
        method=config.method,
        base=config.base,
        base_sha256=base.sha256,
        parent=config.parent,
        template_fingerprint=base.template_fingerprint,
        system_prompt=config.system_prompt,
        stop_ids=base.stop_ids,
        examples=examples,
        config=config.to_dict(),
        metrics={k: v for k, v in metrics.items() if k not in ("resumed", "probe")},
        evaluation=evaluation,
        probe=metrics["probe"],
        job=task.folder.id,
    )


def _remember(task: Task, metrics: dict[str, Any], prepared: float) -> None:
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
