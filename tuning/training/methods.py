"""The tuning methods: one entry each, with what it changes, what it costs and when to choose it.

An entry also knows how to make its learner; everything else about training is the same for all.
"""

import importlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

import torch
from peft import AdaLoraConfig, IA3Config, LoraConfig
from torch import nn

from tuning.config import TuneConfig
from tuning.data.examples import Message
from tuning.errors import MethodError
from tuning.models.adapters import Adapter, FullAdapter, PeftAdapter, PrefixAdapter
from tuning.models.base_model import BaseModel
from tuning.training import learners_peft, learners_prefix
from tuning.training.learners_peft import Learner
from tuning.training.recipe import Recipe, recipe

_Kind = TypeVar("_Kind", PeftAdapter, PrefixAdapter, FullAdapter)
_PREFIX_LEAST, _PREFIX_MOST, _VIRTUAL_WORDS = 128, 384, 32  # positions
Family = Literal["low-rank", "prefix", "prompt", "scaling", "full"]


@dataclass(frozen=True)
class LearnerPlan:
    """Everything a method may need to make its learner."""

    base: BaseModel
    config: TuneConfig
    recipe: Recipe
    conversations: Sequence[Sequence[Message]]
    steps: int
    parent: Adapter | None


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


def method(name: str) -> Method:
    """The method of this name. Raises MethodError."""
    if name not in METHODS:
        raise MethodError(f"There is no tuning method {name!r}. There are: {', '.join(METHODS)}.")
    return METHODS[name]


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


# -------------------------------------------------------------------- low-rank and scaling


def _linear_layers(plan: LearnerPlan, which: str) -> list[str]:
    """The names of the linear layers to change: all but the output head, or those of one kind."""
    head = plan.base.model.get_output_embeddings()
    names = [
        name
        for name, module in plan.base.model.named_modules()
        if isinstance(module, nn.Linear) and module is not head
    ]
    if which != "all":
        attention = [name for name in names if "attn" in name or "attention" in name]
        names = attention if which == "attention" else [name for name in names if name not in set(attention)]
    if not names:
        raise MethodError(f"This base has no {which} linear layers to change. Use layers='all'.")
    return names


def _peft_parent(plan: LearnerPlan) -> PeftAdapter | None:
    return _parent(plan, PeftAdapter)


def _parent(plan: LearnerPlan, kind: type[_Kind]) -> _Kind | None:
    if plan.parent is None:
        return None
    if not isinstance(plan.parent, kind):
        raise MethodError(
            f"The parent checkpoint {plan.config.parent!r} was made by another kind of method than "
            f"{plan.config.method!r}. Continue with its own method, or start without a parent."
        )
    return plan.parent


def _lora(plan: LearnerPlan) -> Learner:
    config = LoraConfig(
        r=plan.recipe.rank,
        lora_alpha=plan.recipe.alpha,
        lora_dropout=plan.config.dropout,
        use_rslora=plan.config.rslora,
        use_dora=plan.config.dora,
        target_modules=_linear_layers(plan, plan.config.layers),
        task_type="CAUSAL_LM",
        base_model_name_or_path=plan.base.name,
    )
    parent = _peft_parent(plan)
    if parent is not None:
        config = _trainable(parent, LoraConfig)
    return learners_peft.PeftLearner(plan.base, config, parent)


def _qlora(plan: LearnerPlan) -> Learner:
    """LoRA over weights kept in 4 bits (arXiv 2305.14314); the adapter fits the unquantised base as well."""
    try:
        bitsandbytes = importlib.import_module("bitsandbytes")  # CUDA only; no other method needs it
    except ImportError as error:
        raise MethodError("QLoRA needs the package bitsandbytes: pip install bitsandbytes.") from error
    model = plan.base.model
    for name in _linear_layers(plan, "all"):
        parent, _, child = name.rpartition(".")
        whole: nn.Linear = getattr(model.get_submodule(parent), child)
        packed = bitsandbytes.nn.Linear4bit(
            whole.in_features, whole.out_features, whole.bias is not None, torch.bfloat16, quant_type="nf4"
        )
        packed.load_state_dict(whole.state_dict())
        setattr(model.get_submodule(parent), child, packed.to(plan.base.device))
    return _lora(plan)


def _trainable(parent: PeftAdapter, kind: type) -> LoraConfig:
    """The parent's own configuration, to learn on."""
    if not isinstance(parent.config, kind):
        raise MethodError(
            f"The parent checkpoint is a {parent.config.peft_type} adapter. Continue with its method."
        )
    values = parent.config.to_dict() | {"inference_mode": False}
    return kind(**values)


def _adalora(plan: LearnerPlan) -> Learner:
    steps, parent = plan.steps, _peft_parent(plan)
    rank = round(1.5 * plan.recipe.rank)
    if parent is not None:
        rank, parent = _trainable(parent, LoraConfig).r, _with_singular_values(parent)
    config = AdaLoraConfig(
        init_r=rank,
        target_r=max(1, round(rank / 1.5)),
        lora_alpha=rank if parent is not None else plan.recipe.alpha,
        lora_dropout=plan.config.dropout,
        tinit=steps // 5,
        tfinal=steps // 3,
        deltaT=max(1, steps // 40),
        total_step=max(3, steps),
        target_modules=_linear_layers(plan, plan.config.layers),
        task_type="CAUSAL_LM",
        base_model_name_or_path=plan.base.name,
    )
    return learners_peft.AdaLoraLearner(plan.base, config, parent)


def _with_singular_values(parent: PeftAdapter) -> PeftAdapter:
    """A LoRA adapter as AdaLoRA's three factors, each of the size it has in a first round.

    What a row of A is longer than a fresh one goes into the middle factor: at AdaLoRA's rate it would be lost.
    """
    state = {}
    for name, value in parent.state.items():
        state[name.removesuffix(".weight")] = value
        if ".lora_A." in name:
            place = name.split(".lora_A.")[0]
            fresh = 0.02 * math.sqrt(value.shape[1])
            sizes = value.float().norm(dim=1, keepdim=True) / fresh
            learned = value.float() / sizes.clamp(min=1e-6)
            rows = torch.where(
                sizes > 1e-6, learned, 0.02 * torch.randn(value.shape)
            )  # spent ones start anew
            state[f"{place}.lora_A"], state[f"{place}.lora_E"] = rows, torch.where(sizes > 1e-6, sizes, 0.0)
    return PeftAdapter(parent.config, state)


def _ia3(plan: LearnerPlan) -> Learner:
    names = _linear_layers(plan, "all")
    down = [
        name for name in names if name.rsplit(".", 1)[-1] in ("down_proj", "dense_4h_to_h", "fc2", "c_proj")
    ]
    keys = [
        name
        for name in names
        if name.rsplit(".", 1)[-1] in ("k_proj", "v_proj", "qkv_proj", "query_key_value")
    ]
    if not down or not keys:
        raise MethodError(f"IA3 does not know the layers of {plan.base.name!r}. Use lora.")
    config = IA3Config(
        target_modules=[*keys, *down],
        feedforward_modules=down,
        task_type="CAUSAL_LM",
        base_model_name_or_path=plan.base.name,
    )
    return learners_peft.PeftLearner(plan.base, config, _peft_parent(plan))


def _full(plan: LearnerPlan) -> Learner:
    return learners_peft.FullLearner(plan.base, _parent(plan, FullAdapter))


# -------------------------------------------------------------------- prefixes and prompts


def text_ids(plan: LearnerPlan, length: int | None) -> list[int]:
    """The conversations' own text as one message: questions and answers, without a template around each.

    With a length, cut to it, or repeated where it is shorter; without, as long as the text is, within reason.
    """
    lines = [" ".join(m["content"] for m in one if m["role"] != "system") for one in plan.conversations]
    ids = plan.base.chat_ids([{"role": "user", "content": "\n".join(lines)}], add_generation_prompt=False)
    if length is None:
        length = min(max(len(ids), _PREFIX_LEAST), _PREFIX_MOST)
    return (ids * (length // len(ids) + 1))[:length]


def _deep(plan: LearnerPlan) -> Learner:
    parent = _parent(plan, PrefixAdapter)
    details = {"method": plan.config.method, "base": plan.base.name}
    if parent is not None:
        return learners_prefix.PrefixLearner(plan.base, list(parent.kv), details, frozen=1)
    kv = learners_prefix.text_kv(plan.base, text_ids(plan, plan.config.virtual_tokens))
    return learners_prefix.PrefixLearner(plan.base, kv, details, frozen=1)


def _embeddings(plan: LearnerPlan) -> torch.Tensor:
    ids = text_ids(plan, plan.config.virtual_tokens or _VIRTUAL_WORDS)
    return plan.base.model.get_input_embeddings()(torch.tensor(ids, device=plan.base.device))


def _prefix(plan: LearnerPlan) -> Learner:
    kv = learners_prefix.text_kv(plan.base, text_ids(plan, 4))
    shapes = [(layer.shape[1], layer.shape[3]) for layer in kv]
    embeddings = _embeddings(plan)
    encoder = learners_prefix.KvEncoder(embeddings, shapes, width=embeddings.shape[1])
    return _encoded(plan, encoder, learners_prefix.EncodedLearner)


def _prompt(plan: LearnerPlan) -> Learner:
    return _encoded(plan, learners_prefix.EmbeddingEncoder(_embeddings(plan)), learners_prefix.PromptLearner)


def _p_tuning(plan: LearnerPlan) -> Learner:
    embeddings = _embeddings(plan)
    encoder = learners_prefix.EmbeddingEncoder(embeddings, width=embeddings.shape[1])
    return _encoded(plan, encoder, learners_prefix.PromptLearner)


def _encoded(plan: LearnerPlan, encoder: nn.Module, kind: type[learners_prefix.EncodedLearner]) -> Learner:
    details = {"method": plan.config.method, "base": plan.base.name}
    learner = kind(plan.base, encoder, details)
    parent = _parent(plan, PrefixAdapter)
    if parent is not None:
        if not parent.state:
            raise MethodError(
                f"The parent checkpoint {plan.config.parent!r} has no prompt encoder to learn on."
            )
        learner.restore(parent.state)
    return learner


_ENTRIES = (
    Method(
        "lora", "LoRA",
        "Adds a small low-rank change to the feed-forward layers of the model, or to all linear ones.",
        "About 4 % extra weights; the fastest to answer with, and it can be merged into the model.",
        "The first choice for most jobs.",
        "low-rank", _lora, mergeable=True, exportable=True,
    ),
    Method(
        "qlora", "QLoRA",
        "LoRA while the model itself is kept in 4 bits.",
        "A quarter of the memory for the weights, and about a third more time.",
        "For a large model on one CUDA GPU that cannot hold it otherwise.",
        "low-rank", _qlora, needs_cuda=True, mergeable=True, exportable=True,
    ),
    Method(
        "adalora", "AdaLoRA",
        "LoRA that moves its rank to the layers where it matters most while it learns.",
        "A third more time than LoRA for the same rank.",
        "When LoRA at this rank is not enough and the adapter must stay small.",
        "low-rank", _adalora, mergeable=True, exportable=True, rate=10.0,  # its middle factor begins at 0
    ),
    Method(
        "p-tuning-v2", "P-Tuning v2",
        "Puts learned keys and values in front of every layer, begun from the text of the chat.",
        "A few hundred positions of the window, read at every answer.",
        "When facts must be remembered and everything else must stay as it was.",
        "prefix", _deep,
    ),
    Method(
        "cartridge", "Cartridge",
        "A P-Tuning v2 prefix that learns to behave like the model with the text in its prompt.",
        "Like P-Tuning v2, and a teacher's pass over each example.",
        "When a long text should be at hand without being in the prompt.",
        "prefix", _deep, distils=True,
    ),
    Method(
        "prefix-tuning", "Prefix Tuning",
        "Learns virtual tokens and a small network that makes keys and values for every layer of them.",
        "The network is large while training and gone afterwards.",
        "For style and format; slower to take in facts than P-Tuning v2.",
        "prefix", _prefix, rate=0.1,  # a network's weights move together: at more its loss grows
    ),
    Method(
        "p-tuning", "P-Tuning",
        "Learns virtual words in front of the prompt, through a small network.",
        "A few positions of the window.",
        "To steer a model towards a task with few examples.",
        "prompt", _p_tuning,
    ),
    Method(
        "prompt-tuning", "Prompt Tuning",
        "Learns virtual words in front of the prompt; shows afterwards which real words they resemble.",
        "The smallest of all: one vector a position.",
        "To see what is learned, and to steer large models.",
        "prompt", _prompt,
    ),
    Method(
        "ia3", "IA3",
        "Learns one factor for each channel of keys, values and the feed-forward layers.",
        "A hundred times fewer weights than LoRA.",
        "For light steering where an adapter must be tiny.",
        "scaling", _ia3, mergeable=True, exportable=True,
    ),
    Method(
        "full", "Full fine-tuning",
        "Changes every weight of the model.",
        "Sixteen bytes of memory for each weight, and a checkpoint as large as the model.",
        "With much data, on a machine with much memory.",
        "full", _full, mergeable=True, exportable=True,
    ),
)  # fmt: skip

METHODS: dict[str, Method] = {entry.name: entry for entry in _ENTRIES}
