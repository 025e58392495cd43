"""Jobs over preferences on a tiny model: what cannot work is said before, what is learned has its report."""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from tests.tuning.jobs.watching import until
from tests.tuning.tiny import save_tiny
from tuning.alignment.reward_model import RewardModel, best_of
from tuning.checkpoints.export import export
from tuning.checkpoints.manifest import Checkpoint
from tuning.config import TuneConfig
from tuning.data.examples import Example
from tuning.data.preferences import Judgement, PreferencePair, ReadPreferences, read_preferences
from tuning.errors import CheckpointError, ExampleError, MethodError
from tuning.jobs import preference_round
from tuning.jobs.folder import JobFolder
from tuning.jobs.jobs import Jobs
from tuning.jobs.task import Task
from tuning.models.base_model import BaseModel

WORKER = (sys.executable, str(Path(__file__).with_name("worker_with_preferences.py")))
WORDS = ("lamp", "river", "stone", "cloud", "engine", "violin", "market", "harbour")


def asked(word: str) -> tuple[dict[str, str], ...]:
    return ({"role": "user", "content": f"What is a {word}?"},)


PAIRS = tuple(
    PreferencePair(asked(one), f"A {one}, says the book.", f"A {one} is this or that.", "vote")
    for one in WORDS
)
GIVEN = ReadPreferences(PAIRS)
QUICK: dict[str, Any] = {"epochs": 2, "replay": 1, "rank": 2, "answer_tokens": 4, "device": "cpu"}


@pytest.fixture(scope="module")
def base(base_model: BaseModel, tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_tiny(base_model, tmp_path_factory.mktemp("tiny") / "model"))


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Jobs:
    monkeypatch.setattr("tuning.alignment.kept.REPLAY_PROMPTS", ("Hello!", "What is 2 plus 2?"))
    return Jobs(tmp_path / "home")


def learn(jobs: Jobs, config: TuneConfig, given: ReadPreferences = GIVEN) -> Checkpoint:
    """What a worker does for a job, in this process."""
    jobs.check(config, given)
    folder = JobFolder.create(
        jobs.folder / f"{time.time_ns()}", config, given, {"name": config.name, "device": "cpu"}
    )
    task = Task(folder, jobs.home, config, "cpu", lambda _: None, folder.append, lambda: False, lambda: 0)
    return jobs.registry.get(preference_round.tune(task, retention=2, reading=2).checkpoint)


def test_a_policy_is_stored_with_its_report_and_lineage(jobs: Jobs, base: str) -> None:
    first = learn(jobs, TuneConfig(method="dpo", base=base, name="first", learning_rate=0.02, **QUICK))
    assert first.method == "dpo" and not first.is_reward_model
    found = first.evaluation["preferences"]
    assert 0 < found["pairs"]["n"] == found["implicit"]["n"] < len(PAIRS)
    assert {"before", "after", "interval"} <= found["pairs"].keys()
    assert found["judged"]["n"] == 2 * found["pairs"]["n"]
    assert found["answers"][0].keys() == {"prompt", "before", "after"}
    assert first.evaluation["retention"]["n"] == 2 and "passed" in first.evaluation["verdict"]
    assert [one.key for one in read_preferences(first.path / "preferences.jsonl").pairs] == [
        p.key for p in PAIRS
    ]
    second = learn(jobs, TuneConfig(method="kto", base=base, name="second", parent="first", **QUICK))
    assert [one.name for one in jobs.registry.lineage("second")] == ["first", "second"]
    opened = BaseModel.open(base, jobs.home, "cpu")
    assert opened.load_checkpoint(second).largest_change > 0
    opened.close()


def test_a_reward_model_scores_ranks_and_teaches_a_policy(jobs: Jobs, base: str) -> None:
    options = QUICK | {"epochs": 12, "learning_rate": 0.02}
    reward = learn(jobs, TuneConfig(method="reward", base=base, name="judge", **options))
    assert reward.is_reward_model
    found = reward.evaluation["preferences"]
    assert found["pairs"]["after"] > 0.5
    assert found["temperature"] > 1  # so few pairs kept aside prove little, however sure the scores are
    with pytest.raises(CheckpointError, match="'judge' is a reward model: without its head"):
        export(reward, "peft", jobs.home / "out", jobs.home)
    opened = BaseModel.open(base, jobs.home, "cpu")
    judge = RewardModel.open(opened, reward)
    ranked = best_of(judge, PAIRS[0].prompt, [PAIRS[0].rejected, PAIRS[0].chosen])
    assert ranked[0][0] == PAIRS[0].chosen and ranked[0][1] > ranked[1][1]
    assert judge.score(PAIRS[0].prompt, PAIRS[0].chosen) == pytest.approx(ranked[0][1], abs=1e-3)
    opened.close()
    policy = learn(jobs, TuneConfig(method="ppo", base=base, name="policy", reward="judge", **QUICK))
    wins = policy.evaluation["preferences"]["win_rate"]
    assert wins["reward"] == "judge" and 0 <= wins["after"] <= 1
    steps = [
        json.loads(line) for line in (jobs.folder / policy.job / "events.jsonl").read_text().splitlines()
    ]
    measured = [one for one in steps if one.get("kind") == "step"]
    assert {"reward", "kl", "length", "repetition", "distinct"} <= measured[0].keys()
    with pytest.raises(CheckpointError, match="'judge' is a reward model: it scores answers and cannot"):
        jobs.check(TuneConfig(method="dpo", base=base, parent="judge"), GIVEN)
    with pytest.raises(CheckpointError, match=r"'policy' was made by 'ppo' and is no reward model"):
        jobs.check(TuneConfig(method="grpo", base=base, reward="policy"), GIVEN)
    with pytest.raises(CheckpointError, match="'judge' belongs to"):
        jobs.check(TuneConfig(method="ppo", reward="judge"), GIVEN)


def test_what_cannot_work_is_said_before_the_job(jobs: Jobs) -> None:
    example = Example((*asked("lamp"), {"role": "assistant", "content": "A lamp."}))
    for config, lessons, error, said in (
        (TuneConfig(), GIVEN, MethodError, "'lora' learns from examples, and preferences were given"),
        (TuneConfig(method="dpo"), [example], ExampleError, "'dpo' learns from preferences, and examples"),
        (TuneConfig(method="dpo"), ReadPreferences(PAIRS[:3]), ExampleError, "needs at least 4 pairs"),
        (TuneConfig(method="ppo"), GIVEN, MethodError, "'ppo' needs a reward model to score answers"),
        (TuneConfig(method="dpo", processes=2), GIVEN, MethodError, "learns in one process, and 2 were"),
        (
            TuneConfig(method="kto"),
            ReadPreferences(judgements=tuple(Judgement(p.prompt, p.chosen, True) for p in PAIRS)),
            ExampleError,
            "all 8 are good",
        ),
    ):
        with pytest.raises(error, match=said):
            jobs.check(config, lessons)  # type: ignore[arg-type]


def test_an_estimate_counts_the_answers(jobs: Jobs) -> None:
    small = jobs.estimate(TuneConfig(method="dpo", epochs=1), GIVEN)
    more = jobs.estimate(TuneConfig(method="dpo", epochs=4), GIVEN)
    assert small.steps == 1 and more.steps == 4
    assert small.tokens < more.tokens and small.seconds < more.seconds
    with pytest.raises(ExampleError, match="needs at least 4"):
        jobs.estimate(TuneConfig(method="dpo"), ReadPreferences())


@pytest.mark.slow
def test_a_killed_job_ends_with_the_weights_of_an_undisturbed_one(tmp_path: Path, base: str) -> None:
    jobs = Jobs(tmp_path / "home", worker=WORKER)
    config = TuneConfig(method="dpo", base=base, **{**QUICK, "epochs": 8, "replay": 0})
    whole = jobs.wait(jobs.submit(config, GIVEN).id)
    assert whole.status == "succeeded", jobs.log(whole.id)
    job = jobs.submit(config, GIVEN)
    until(jobs, job.id, lambda j: j.step >= 3 or j.has_ended, seconds=240)
    os.kill(json.loads((job.folder / "worker.json").read_text())["pid"], signal.SIGKILL)
    assert until(jobs, job.id, lambda j: j.has_ended).resumable
    jobs.resume(job.id)
    ended = jobs.wait(job.id)
    assert ended.status == "succeeded" and ended.examples_count == len(PAIRS), jobs.log(job.id)
    ours, theirs = (
        load_file(jobs.registry.get(one.name).path / "adapter_model.safetensors") for one in (ended, whole)
    )
    assert all(bool((ours[name] == theirs[name]).all()) for name in theirs)
