"""One run over preferences: encode, ask the reference, fit, leave an adapter in the folder. Evaluates nothing.

Same seed, same result, also after a kill. DPO, KTO, ORPO and a reward model are here; PPO and GRPO in `policy`.
"""

import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from tuning.alignment.dataset import PreferenceData, size
from tuning.alignment.kept import KeptAnswers, kept_answers
from tuning.alignment.loop import Loop, LoopEnd, LoopHooks
from tuning.alignment.objectives import Setting
from tuning.alignment.pairwise import PairwiseWork, encoded_units, with_reference
from tuning.alignment.policy import PolicyWork
from tuning.alignment.recipe import PreferenceRecipe, preference_recipe
from tuning.alignment.reward_head import HeadLearner
from tuning.alignment.reward_model import RewardModel
from tuning.alignment.sequences import Unit, encoded_answer
from tuning.alignment.watch import HackingWatch
from tuning.config import TuneConfig
from tuning.data.examples import Message
from tuning.models.adapters import Adapter, PrefixAdapter
from tuning.models.base_model import BaseModel
from tuning.models.packing import with_system
from tuning.training import methods
from tuning.training.builders import MAX_PREFIX
from tuning.training.conversations import TrainingConversation
from tuning.training.learner import Learner, LearnerPlan
from tuning.training.measures import answer_surprise
from tuning.training.run_state import ADAPTER_FOLDER, write_adapter

REFERENCE = "the reference"  # the parent's adapter, while it is needed beside what learns


@dataclass(frozen=True)
class PreferenceResult:
    """What a run made: the adapter's folder, and how it went."""

    adapter: Path
    stopped: bool  # asked to stop before its end
    early: bool  # ended early by itself
    reason: str  # why, in a sentence
    steps: int
    tokens: int
    seconds: float
    loss: float
    examples: int  # pairs, judged answers or prompts
    dropped: int  # that did not fit the window
    memory_bytes: int
    probe: dict[str, Any]  # an answer, and how surely the checkpoint must give it; nothing for a reward model

    def to_dict(self) -> dict[str, Any]:
        """How it went, as JSON types."""
        rate = self.tokens / max(self.seconds, 1e-9)
        return asdict(self) | {"adapter": str(self.adapter), "tokens_per_second": rate}


@dataclass(frozen=True)
class Start:
    """What a run over preferences begins from."""

    parent: Adapter | None = None
    earlier: Sequence[TrainingConversation] = ()  # what earlier rounds taught, which is to stay
    reward: RewardModel | None = None  # loaded in the base, for PPO and GRPO


def train_preferences(
    base: BaseModel,
    config: TuneConfig,
    data: PreferenceData,
    folder: Path,
    hooks: LoopHooks,
    *,
    start: Start | None = None,
    resume: bool = False,
) -> PreferenceResult:
    """Train one adapter from preferences; `folder` takes the resumable state and, at the end, the adapter.

    Raises ExampleError, MethodError or ModelError.
    """
    return _Run(base, config, data, folder, hooks, start or Start()).train(resume)


class _Run:
    """One run."""

    def __init__(
        self,
        base: BaseModel,
        config: TuneConfig,
        data: PreferenceData,
        folder: Path,
        hooks: LoopHooks,
        start: Start,
    ) -> None:
        self._base, self._config, self._data = base, config, data
        self._folder, self._hooks, self._start = folder, hooks, start
        self._method = methods.method(config.method)
        self._count, self._dropped = size(config.method, data), 0

    def train(self, resume: bool) -> PreferenceResult:
        """Train, unless asked to stop."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._hooks.emit({"kind": "phase", "phase": "preparing"})
        base, config = self._base, self._config
        with base.activate(None):
            torch.manual_seed(config.seed)
            reference = self._load_reference()
            units = self._units(reference)
            recipe = preference_recipe(config, base.config.hidden_size, self._count)
            counts = (recipe.replay, recipe.earlier)
            kept = kept_answers(base, config, self._start.earlier, reference, counts)
            if not self._writes:
                base.unload(REFERENCE)  # all was asked that needs it
            learner = self._learner(recipe)
            try:
                setting = Setting(base, config, recipe, learner)
                end = self._fit(learner, recipe, self._work(setting, units, reference, kept, resume), resume)
                probe = self._finish(learner, end)
            finally:
                learner.close()
                base.unload(REFERENCE)
        return self._result(end, probe)

    # ------------------------------------------------------------ setup

    @property
    def _writes(self) -> bool:
        """Whether it learns from answers that it writes itself."""
        return self._method.learns_from == "prompts"

    def _units(self, reference: str | None) -> Sequence[Unit]:
        """What is learned, with the reference's view of it where the method asks for that."""
        if self._writes:
            return ()
        window = self._base.window - self._positions()
        found = encoded_units(self._base, self._config, self._data, window)
        self._count, self._dropped = len(found.learned), found.dropped
        if self._config.method not in ("dpo", "kto"):
            return found.learned
        return with_reference(self._base, found.learned, reference)

    def _positions(self) -> int:
        """The positions that a prefix takes of the window."""
        if isinstance(self._start.parent, PrefixAdapter):
            return self._start.parent.positions
        own = self._config.virtual_tokens or MAX_PREFIX
        return own if self._config.adapter == "p-tuning-v2" else 0

    def _load_reference(self) -> str | None:
        """The name under which the parent's adapter is loaded now; None for the base itself."""
        if self._start.parent is None:
            return None
        self._base.add_adapter(REFERENCE, self._start.parent)
        return REFERENCE

    def _work(
        self,
        setting: Setting,
        units: Sequence[Unit],
        reference: str | None,
        kept: KeptAnswers,
        resume: bool,
    ) -> PairwiseWork | PolicyWork:
        if not self._writes:
            return PairwiseWork(setting, units, kept)
        assert self._start.reward is not None  # the method's table says that it needs one
        watch = HackingWatch(self._folder, resume)
        return PolicyWork(setting, self._data.prompts, self._start.reward, reference, kept, watch)

    def _learner(self, recipe: PreferenceRecipe) -> Learner:
        base, config = self._base, self._config
        plan = LearnerPlan(
            base, config, methods.amounts(config, base.config.hidden_size, self._count),
            self._conversations(), recipe.steps(self._count), self._start.parent,
        )  # fmt: skip
        with base.activate(None), warnings.catch_warnings():
            # The reward model's and the parent's adapters lie beside what learns.
            warnings.filterwarnings("ignore", "Already found a `peft_config`")
            learner = methods.build(plan)
            if config.method in ("reward", "ppo"):
                return HeadLearner(learner, base.config.hidden_size, base.device)
            return learner

    def _conversations(self) -> list[list[Message]]:
        """What is preferred, as conversations: a prefix begins as their text."""
        pairs = [[*one.prompt, {"role": "assistant", "content": one.chosen}] for one in self._data.pairs]
        liked = [
            [*one.prompt, {"role": "assistant", "content": one.completion}]
            for one in self._data.judgements
            if one.good
        ]
        return pairs or liked or [list(prompt) for prompt in self._data.prompts]

    # ------------------------------------------------------------ fit and end

    def _fit(
        self, learner: Learner, recipe: PreferenceRecipe, work: PairwiseWork | PolicyWork, resume: bool
    ) -> LoopEnd:
        loop = Loop(
            self._base, learner, self._folder, self._hooks, steps=recipe.steps(self._count),
            learning_rate=recipe.learning_rate, warmup=recipe.warmup, seed=self._config.seed,
        )  # fmt: skip
        try:
            if resume:
                loop.restore()
            with work.learning(learner):
                return loop.fit(work)
        finally:
            work.close()

    def _finish(self, learner: Learner, end: LoopEnd) -> dict[str, Any]:
        if end.stopped:
            return {}
        write_adapter(self._folder, learner.adapter())
        if isinstance(learner, HeadLearner) and self._config.method == "reward":
            learner.reward_head().write(self._folder / ADAPTER_FOLDER)
            return {}
        with self._base.activate(None), learner.on():
            return self._probe(learner)

    @torch.no_grad()
    def _probe(self, learner: Learner) -> dict[str, Any]:
        """How surely an answer is given now; a later load must find the same."""
        messages = with_system(self._conversations()[0], self._config.system_prompt)
        if messages[-1]["role"] != "assistant":
            return {}
        item = encoded_answer(self._base, messages[:-1], messages[-1]["content"])
        return {"messages": messages, "surprise": answer_surprise(self._base, item, learner.prefix())}

    def _result(self, end: LoopEnd, probe: dict[str, Any]) -> PreferenceResult:
        run = end.run
        return PreferenceResult(
            adapter=self._folder / ADAPTER_FOLDER,
            stopped=end.stopped,
            early=bool(end.reason),
            reason=end.reason,
            steps=run.step,
            tokens=run.tokens,
            seconds=run.seconds,
            loss=run.loss,
            examples=self._count,
            dropped=self._dropped,
            memory_bytes=run.memory_bytes,
            probe=probe,
        )
