"""The tuning methods: one entry each, with what it changes, what it costs and when to choose it.

An entry also names the builder of its learner; everything else about training is the same for all that learn from
examples. How those that learn from preferences do so is in `tuning.alignment`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from tuning.checkpoints.manifest import REMOTE
from tuning.config import TuneConfig
from tuning.errors import MethodError
from tuning.training.builders import (
    adalora,
    full,
    ia3,
    lora,
    lora_or_prefix,
    p_tuning,
    p_tuning_v2,
    prefix_tuning,
    prompt_tuning,
    qlora,
)
from tuning.training.learner import Learner, LearnerPlan
from tuning.training.recipe import Recipe, recipe

Family = Literal["low-rank", "prefix", "prompt", "scaling", "full", "service"]
Source = Literal["examples", "pairs", "judgements", "prompts"]


@dataclass(frozen=True)
class Method:
    """One tuning method, as a person chooses it."""

    name: str
    title: str
    sentence: str  # what it changes
    cost: str
    choose_when: str
    family: Family
    build: Callable[[LearnerPlan], Learner]
    needs_cuda: bool = False
    mergeable: bool = False  # its change can be added to the base's weights
    exportable: bool = False  # other programs can load it
    distils: bool = False  # learns from the base with the text in its prompt
    rate: float = 1.0  # times its family's learning rate
    # Steps at least in which a further round rises to its rate. Adam's first steps have the size of the rate whatever
    # the gradient is: at its full rate one undoes what is learned.
    rise_again: int = 4
    learns_from: Source = "examples"
    needs_reward: bool = False  # a checkpoint of a reward model
    chats: bool = True  # its checkpoints answer; a reward model only scores


def method(name: str) -> Method:
    """The method of this name. Raises MethodError."""
    if name not in ALL_METHODS:
        raise MethodError(f"There is no tuning method {name!r}. There are: {', '.join(ALL_METHODS)}.")
    return ALL_METHODS[name]


def amounts(config: TuneConfig, hidden: int, examples: int) -> Recipe:
    """The recipe of a run over so many examples on a base of this width. Raises MethodError."""
    chosen = method(config.method)
    found = recipe(config, chosen.family, hidden, examples)
    return found if config.learning_rate else replace(found, learning_rate=found.learning_rate * chosen.rate)


def build(plan: LearnerPlan) -> Learner:
    """The learner for a plan. Raises MethodError when the method cannot run here."""
    chosen = method(plan.config.method)
    if chosen.needs_cuda and plan.base.device.type != "cuda":
        raise MethodError(
            f"{chosen.title} needs a CUDA GPU, and this model is on {plan.base.device}. Use lora."
        )
    if plan.config.checkpointing and chosen.family in ("prefix", "prompt"):
        raise MethodError(f"{chosen.title} cannot be trained with checkpointing; leave it off.")
    return chosen.build(plan)


_ENTRIES = (
    Method(
        "lora", "LoRA",
        "Adds a small low-rank change to the feed-forward layers of the model, or to all linear ones.",
        "About 4 % extra weights; the fastest to answer with, and it can be merged into the model.",
        "The first choice for most jobs.",
        "low-rank", lora, mergeable=True, exportable=True,
    ),
    Method(
        "qlora", "QLoRA",
        "LoRA while the model itself is kept in 4 bits.",
        "A quarter of the memory for the weights, and about a third more time.",
        "For a large model on one CUDA GPU that cannot hold it otherwise.",
        "low-rank", qlora, needs_cuda=True, mergeable=True, exportable=True,
    ),
    Method(
        "adalora", "AdaLoRA",
        "LoRA that moves its rank to the layers where it matters most while it learns.",
        "A third more time than LoRA for the same rank.",
        "When LoRA at this rank is not enough and the adapter must stay small.",
        "low-rank", adalora, mergeable=True, exportable=True, rate=10.0,  # its middle factor begins at 0
    ),
    Method(
        "p-tuning-v2", "P-Tuning v2",
        "Puts learned keys and values in front of every layer, begun from the text of the chat.",
        "A few hundred positions of the window, read at every answer.",
        "When facts must be remembered and everything else must stay as it was.",
        "prefix", p_tuning_v2,
    ),
    Method(
        "cartridge", "Cartridge",
        "A P-Tuning v2 prefix that learns to behave like the model with the text in its prompt.",
        "Like P-Tuning v2, and a teacher's pass over each example.",
        "When a long text should be at hand without being in the prompt.",
        "prefix", p_tuning_v2, distils=True,
    ),
    Method(
        "prefix-tuning", "Prefix Tuning",
        "Learns virtual tokens and a small network that makes keys and values for every layer of them.",
        "The network is large while training and gone afterwards.",
        "For style and format; slower to take in facts than P-Tuning v2.",
        "prefix", prefix_tuning, rate=0.1,  # a network's weights move together: at more its loss grows
    ),
    Method(
        "p-tuning", "P-Tuning",
        "Learns virtual words in front of the prompt, through a small network.",
        "A few positions of the window.",
        "To steer a model towards a task with few examples.",
        "prompt", p_tuning, rate=0.1,  # as Prefix Tuning
        rise_again=12,  # in four, further steps were its ruin on one processor (docs/memory-log.md)
    ),
    Method(
        "prompt-tuning", "Prompt Tuning",
        "Learns virtual words in front of the prompt; shows afterwards which real words they resemble.",
        "The smallest of all: one vector a position.",
        "To see what is learned, and to steer large models.",
        "prompt", prompt_tuning,
    ),
    Method(
        "ia3", "IA3",
        "Learns one factor for each channel of keys, values and the feed-forward layers.",
        "A hundred times fewer weights than LoRA.",
        "For light steering where an adapter must be tiny.",
        "scaling", ia3, mergeable=True, exportable=True,
    ),
    Method(
        "full", "Full fine-tuning",
        "Changes every weight of the model.",
        "Sixteen bytes of memory for each weight, and a checkpoint as large as the model.",
        "With much data, on a machine with much memory.",
        "full", full, mergeable=True, exportable=True,
    ),
)  # fmt: skip

_PREFERENCE_ENTRIES = (
    Method(
        "dpo", "DPO",
        "Makes the preferred of two answers likelier than the rejected one, against the model before.",
        "Twice the time of a pass over the answers; no second model in memory.",
        "The first choice where you voted between two answers or corrected some.",
        "low-rank", lora_or_prefix, mergeable=True, exportable=True, rate=0.5, learns_from="pairs",
    ),
    Method(
        "kto", "KTO",
        "Makes liked answers likelier and disliked ones less likely; they need not answer the same question.",
        "As DPO, and a second look at each answer beside another question.",
        "When you have thumbs and few votes between two answers.",
        "low-rank", lora_or_prefix, mergeable=True, exportable=True, rate=0.5, learns_from="judgements",
    ),
    Method(
        "orpo", "ORPO",
        "Learns the preferred answers as examples, and at once to tell them from the rejected ones.",
        "As DPO, without the model before beside it.",
        "When the preferred answers are also to be learned word for word.",
        "low-rank", lora_or_prefix, mergeable=True, exportable=True, rate=0.5, learns_from="pairs",
    ),
    Method(
        "reward", "Reward model",
        "Learns to score answers as you would; it does not answer itself.",
        "As a pass over both answers of each vote.",
        "To judge comparisons, to choose the best of several answers, and before PPO or GRPO.",
        "low-rank", lora_or_prefix, rate=0.3, learns_from="pairs", chats=False,
    ),
    Method(
        "ppo", "PPO",
        "Lets the model answer, scores its answers with the reward model, and makes good ones likelier.",
        "Much more time than DPO: the model writes every answer that it learns from.",
        "The last step of RLHF, when a reward model judges as you do.",
        "low-rank", lora_or_prefix, mergeable=True, exportable=True, rate=0.5, learns_from="prompts",
        needs_reward=True,
    ),
    Method(
        "grpo", "GRPO",
        "As PPO, but compares several answers to the same question with each other.",
        "Like PPO, with nothing to learn beside the model itself.",
        "When a reward model is there and PPO is too much.",
        "low-rank", lora_or_prefix, mergeable=True, exportable=True, rate=0.2, learns_from="prompts",
        needs_reward=True,
    ),
)  # fmt: skip


def _not_here(plan: LearnerPlan) -> Learner:
    raise MethodError(f"{plan.config.method!r} tunes a model of a service, and nothing on this machine.")


_REMOTE_ENTRIES = (
    Method(
        REMOTE, "OpenAI fine-tuning",
        "A service that speaks OpenAI's API tunes a model of its own on the examples, which are sent there.",
        "Nothing on this machine; the service has a price of its own, and the examples leave this machine.",
        "For a model that is too large for this machine, where the examples may be given away.",
        "service", _not_here,
    ),
)  # fmt: skip

METHODS: dict[str, Method] = {entry.name: entry for entry in _ENTRIES}  # that learn from examples
PREFERENCE_METHODS: dict[str, Method] = {entry.name: entry for entry in _PREFERENCE_ENTRIES}
REMOTE_METHODS: dict[str, Method] = {entry.name: entry for entry in _REMOTE_ENTRIES}  # that learn elsewhere
ALL_METHODS = METHODS | PREFERENCE_METHODS | REMOTE_METHODS
