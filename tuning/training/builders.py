"""How each method makes its learner: which layers it changes, its configuration, what its parent hands down.

Which methods there are, and when to choose which, is in `methods`.
"""

import importlib
import math
from collections.abc import Iterator
from typing import TypeVar

import torch
from peft import AdaLoraConfig, IA3Config, LoraConfig
from peft.tuners.tuners_utils import BaseTunerLayer
from torch import nn

from tuning.errors import MethodError
from tuning.models.adapters import FullAdapter, PeftAdapter, PrefixAdapter
from tuning.models.prefix import text_kv
from tuning.training.learner import Learner, LearnerPlan
from tuning.training.learners_full import FullLearner
from tuning.training.learners_peft import AdaLoraLearner, PeftLearner
from tuning.training.learners_prefix import (
    EmbeddingEncoder,
    EncodedLearner,
    KvEncoder,
    PrefixLearner,
    PromptLearner,
)

_Adapter = TypeVar("_Adapter", PeftAdapter, PrefixAdapter, FullAdapter)
_MIN_PREFIX, MAX_PREFIX, _PROMPT_TOKENS = 128, 384, 32  # positions


def _linear_layers(plan: LearnerPlan, which: str) -> list[str]:
    """The names of the linear layers to change: all but the output head, or those of one kind."""
    head = plan.base.model.get_output_embeddings()
    names = [name for name, module in _linear(plan.base.model) if module is not head]
    if which != "all":
        attention = [name for name in names if "attn" in name or "attention" in name]
        names = attention if which == "attention" else [name for name in names if name not in set(attention)]
    if not names:
        raise MethodError(f"This base has no {which} linear layers to change. Use layers='all'.")
    return names


def _linear(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """The linear layers by name; of one that another adapter wraps, what it wraps."""
    inside: tuple[str, ...] = ()
    for name, module in model.named_modules():
        if isinstance(module, BaseTunerLayer):
            inside = (*inside, f"{name}.")
            module = module.get_base_layer()
        elif name.startswith(inside):
            continue
        if isinstance(module, nn.Linear):
            yield name, module


def _peft_parent(plan: LearnerPlan) -> PeftAdapter | None:
    return _parent(plan, PeftAdapter)


def _parent(plan: LearnerPlan, kind: type[_Adapter]) -> _Adapter | None:
    if plan.parent is None:
        return None
    if not isinstance(plan.parent, kind):
        raise MethodError(
            f"The parent checkpoint {plan.config.parent!r} was made by another kind of method than "
            f"{plan.config.method!r}. Continue with its own method, or start without a parent."
        )
    return plan.parent


def lora(plan: LearnerPlan) -> Learner:
    """LoRA (arXiv 2106.09685) and, where the configuration says so, rsLoRA or DoRA."""
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
    return PeftLearner(plan.base, config, parent)


def lora_or_prefix(plan: LearnerPlan) -> Learner:
    """What learns from preferences: LoRA or a P-Tuning v2 prefix, as asked or as the parent is."""
    parent = plan.parent
    if isinstance(parent, FullAdapter) or (
        isinstance(parent, PeftAdapter) and not isinstance(parent.config, LoraConfig)
    ):
        raise MethodError(
            f"{plan.config.method!r} learns over LoRA or P-Tuning v2, and the parent checkpoint "
            f"{plan.config.parent!r} is neither. Choose another parent, or start from the base."
        )
    kind = plan.config.adapter or ("p-tuning-v2" if isinstance(parent, PrefixAdapter) else "lora")
    return p_tuning_v2(plan) if kind == "p-tuning-v2" else lora(plan)


def qlora(plan: LearnerPlan) -> Learner:
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
    return lora(plan)


def _trainable(parent: PeftAdapter, kind: type) -> LoraConfig:
    """The parent's own configuration, to learn on."""
    if not isinstance(parent.config, kind):
        raise MethodError(
            f"The parent checkpoint is a {parent.config.peft_type} adapter. Continue with its method."
        )
    values = parent.config.to_dict() | {"inference_mode": False}
    return kind(**values)


def adalora(plan: LearnerPlan) -> Learner:
    """AdaLoRA (arXiv 2303.10512): begins with half more rank than it keeps."""
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
    return AdaLoraLearner(plan.base, config, parent)


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


def ia3(plan: LearnerPlan) -> Learner:
    """IA3 (arXiv 2205.05638), on the keys, the values and the inner activations of the feed-forward layers."""
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
    return PeftLearner(plan.base, config, _peft_parent(plan))


def full(plan: LearnerPlan) -> Learner:
    """Every weight."""
    return FullLearner(plan.base, _parent(plan, FullAdapter))


def text_ids(plan: LearnerPlan, length: int | None) -> list[int]:
    """The conversations' own text as one message: questions and answers, without a template around each.

    With a length, cut to it, or repeated where it is shorter; without, as long as the text is, within reason.
    """
    lines = [" ".join(m["content"] for m in one if m["role"] != "system") for one in plan.conversations]
    ids = plan.base.chat_ids([{"role": "user", "content": "\n".join(lines)}], add_generation_prompt=False)
    if length is None:
        length = min(max(len(ids), _MIN_PREFIX), MAX_PREFIX)
    return (ids * (length // len(ids) + 1))[:length]


def p_tuning_v2(plan: LearnerPlan) -> Learner:
    """P-Tuning v2 (arXiv 2110.07602), whose keys and values begin as those of the conversations' text."""
    parent = _parent(plan, PrefixAdapter)
    details = {"method": plan.config.method, "base": plan.base.name}
    if parent is not None:
        return PrefixLearner(plan.base, list(parent.kv), details, frozen=1)
    kv = text_kv(plan.base, text_ids(plan, plan.config.virtual_tokens))
    return PrefixLearner(plan.base, kv, details, frozen=1)


def _embeddings(plan: LearnerPlan) -> torch.Tensor:
    ids = text_ids(plan, plan.config.virtual_tokens or _PROMPT_TOKENS)
    return plan.base.model.get_input_embeddings()(torch.tensor(ids, device=plan.base.device))


def prefix_tuning(plan: LearnerPlan) -> Learner:
    """Prefix Tuning (arXiv 2101.00190), with its projection network."""
    kv = text_kv(plan.base, text_ids(plan, 4))
    shapes = [(layer.shape[1], layer.shape[3]) for layer in kv]
    embeddings = _embeddings(plan)
    encoder = KvEncoder(embeddings, shapes, width=embeddings.shape[1])
    return _encoded(plan, encoder, EncodedLearner)


def prompt_tuning(plan: LearnerPlan) -> Learner:
    """Prompt Tuning (arXiv 2104.08691), begun from the embeddings of the conversations' text."""
    return _encoded(plan, EmbeddingEncoder(_embeddings(plan)), PromptLearner)


def p_tuning(plan: LearnerPlan) -> Learner:
    """P-Tuning (arXiv 2103.10385): as Prompt Tuning, through a small network."""
    embeddings = _embeddings(plan)
    encoder = EmbeddingEncoder(embeddings, width=embeddings.shape[1])
    return _encoded(plan, encoder, PromptLearner)


def _encoded(plan: LearnerPlan, encoder: nn.Module, kind: type[EncodedLearner]) -> Learner:
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
