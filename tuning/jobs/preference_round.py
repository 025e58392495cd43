"""One round of learning from preferences, as a job does it: train, report before and after, store the checkpoint."""

import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tuning.alignment.dataset import PreferenceData, preference_data
from tuning.alignment.loop import LoopHooks
from tuning.alignment.report import preference_report, reward_report
from tuning.alignment.reward_head import RewardHead
from tuning.alignment.reward_model import RewardModel
from tuning.alignment.training import REFERENCE, Start, train_preferences
from tuning.alignment.verdict import judge_policy, judge_reward
from tuning.checkpoints.manifest import PREFERENCES, Checkpoint
from tuning.checkpoints.notes import notes_of
from tuning.checkpoints.registry import Registry
from tuning.data.examples import Example
from tuning.data.preferences import ReadPreferences, write_preferences
from tuning.evaluation import recall
from tuning.evaluation.cached_base import open_cached
from tuning.evaluation.reading_questions import READING
from tuning.evaluation.retention_questions import RETENTION
from tuning.jobs import estimates
from tuning.jobs.preference_jobs import checked_reward
from tuning.jobs.progress import SHOWN
from tuning.jobs.round import hold_parent, manifest_of, remember
from tuning.jobs.task import JobStopped, Task, TaskOutcome
from tuning.models.adapters import Adapter, read_adapter
from tuning.models.base_model import BaseModel
from tuning.storage import read_json, write_json
from tuning.training.run_state import ADAPTER_FOLDER
from tuning.training.trainer import SAVE_EVERY_SECONDS

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Round:
    """What a round works with."""

    task: Task
    base: BaseModel
    data: PreferenceData
    given: ReadPreferences
    parent: Adapter | None
    earlier: Sequence[Example]  # what earlier rounds taught
    reward: Checkpoint | None


def tune(
    task: Task,
    *,
    retention: int = len(RETENTION),
    reading: int = len(READING),
    save_every_seconds: float = SAVE_EVERY_SECONDS,
) -> TaskOutcome:
    """The work of a job over preferences; goes on from what an earlier attempt left in its folder.

    `retention` and `reading` are how many general questions and how many on a paragraph are asked at the end.
    """
    registry, started = Registry(task.home), time.time()
    stored = next((c for c in registry.list() if c.job == task.folder.id), None)
    if stored is not None:  # the earlier attempt ended after storing and before saying so
        return TaskOutcome(stored.name, stored.metrics, stored.evaluation)
    config, given = task.config, task.folder.preferences()
    data = preference_data(config.method, given)
    with contextlib.ExitStack() as stack:
        parent, reward = hold_parent(task, registry, stack), _hold_reward(task, registry, stack)
        base = open_cached(config.base, task.home, task.device)
        stack.callback(base.close)
        earlier = registry.earlier_examples(config.parent, [])
        round_ = Round(task, base, data, given, parent, earlier, reward)
        metrics = _train(round_, save_every_seconds)
        began, answered = time.time(), base.computed
        task.enter("evaluating")
        adapter = read_adapter(task.folder.state / ADAPTER_FOLDER)
        evaluation, write = _evaluate(round_, adapter, retention, reading)
        metrics["evaluate_seconds"] = time.time() - began
        metrics["answers"] = base.computed - answered
        checkpoint = _store(round_, registry, write, metrics, evaluation)
    if not metrics.pop("resumed"):
        remember(task, metrics, began - started - metrics["train_seconds"])
    return TaskOutcome(checkpoint.name, checkpoint.metrics, checkpoint.evaluation)


def _hold_reward(task: Task, registry: Registry, stack: contextlib.ExitStack) -> Checkpoint | None:
    if task.config.reward is None:
        return None
    why = f"job {task.folder.id} scores answers with it"
    return checked_reward(stack.enter_context(registry.hold(task.config.reward, why)), task.config.base)


def _train(round_: Round, save_every_seconds: float) -> dict[str, Any]:
    """Train, unless an earlier attempt did so already; the run's figures."""
    task = round_.task
    done = task.folder.state / "trained.json"
    if metrics := read_json(done):
        log.info("training was finished by an earlier attempt")
        shown = {key: metrics[key] for key in SHOWN if key in metrics}
        task.emit({"kind": "trained", **shown, "step": metrics["steps"]})
        return {**metrics, "resumed": True}
    resume = task.folder.state.exists()
    first_step: list[float] = []

    def emit(event: dict[str, Any]) -> None:
        if event.get("kind") == "step" and not first_step:
            first_step.append(time.time())
        task.emit(event)

    reward = RewardModel.open(round_.base, round_.reward) if round_.reward else None
    result = train_preferences(
        round_.base,
        task.config,
        round_.data,
        task.folder.state,
        LoopHooks(emit, task.should_stop, save_every_seconds),
        start=Start(round_.parent, round_.earlier, reward),
        resume=resume,
    )
    if result.stopped:
        raise JobStopped
    metrics = {k: v for k, v in result.to_dict().items() if k not in ("adapter", "stopped")}
    metrics["left_out"] = [one.reason for one in round_.data.left_out][:20]
    metrics["train_seconds"] = time.time() - first_step[0] if first_step else 0.0
    write_json(done, metrics)
    return {**metrics, "resumed": resume}


def _evaluate(
    round_: Round, adapter: Adapter, retention: int, reading: int
) -> tuple[dict[str, Any], Callable[[Path], None]]:
    """The report, and what writes the checkpoint's files."""
    task, base = round_.task, round_.base
    if task.config.method == "reward":
        return _evaluate_reward(round_, adapter)

    def emit(event: dict[str, Any]) -> None:
        task.emit(event)
        if task.should_stop():
            raise JobStopped

    if round_.parent is not None and REFERENCE not in base.loaded:
        base.add_adapter(REFERENCE, round_.parent)
    base.add_adapter(task.name, adapter)
    before = REFERENCE if round_.parent is not None else None
    reward = RewardModel.open(base, round_.reward) if round_.reward else None
    system = task.config.system_prompt
    preferences = preference_report(base, task.config, round_.data, (before, task.name), reward, emit)
    evaluation = recall.evaluate(
        base,
        [],
        task.name,
        emit=_later(emit),
        system_prompt=system,
        retention=retention,
        reading=reading,
    )
    if round_.earlier:
        asked = round_.earlier[-estimates.MAX_EARLIER :]
        now = recall.still_known(base, asked, task.name, system_prompt=system)
        then = recall.still_known(base, asked, before, system_prompt=system) if before else {"after": 0.0}
        evaluation["earlier"] = now | {"before": then["after"]}
    evaluation["preferences"] = preferences
    evaluation["verdict"] = judge_policy(evaluation, strength=task.config.strength).to_dict()
    return evaluation, adapter.write


def _later(emit: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    """The memory report's share of the phase, behind that of the preferences."""
    return lambda event: emit({**event, "share": 0.3 + 0.7 * event["share"]} if "share" in event else event)


def _evaluate_reward(round_: Round, adapter: Adapter) -> tuple[dict[str, Any], Callable[[Path], None]]:
    task = round_.task
    head = RewardHead.read(task.folder.state / ADAPTER_FOLDER)
    model = RewardModel.of(round_.base, task.name, adapter, head, task.config.system_prompt)
    found = reward_report(model, task.config, round_.data.aside)
    calibrated = replace(head, temperature=found["temperature"])

    def write(folder: Path) -> None:
        adapter.write(folder)
        calibrated.write(folder)

    return {"preferences": found, "verdict": judge_reward(found).to_dict()}, write


def _store(
    round_: Round,
    registry: Registry,
    write: Callable[[Path], None],
    metrics: dict[str, Any],
    evaluation: dict[str, Any],
) -> Checkpoint:
    task, base = round_.task, round_.base
    task.enter("saving")

    def write_all(folder: Path) -> None:
        write(folder)
        write_preferences(folder / PREFERENCES, round_.given.pairs, round_.given.judgements)

    parent = task.config.parent
    manifest = replace(
        manifest_of(task, registry, base, metrics, evaluation),
        notes=notes_of(registry.get(parent)) if parent else [],
    )
    return registry.save(manifest, write_all)
