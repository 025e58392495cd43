"""What a GPU makes of training and decoding; needs torch, transformers, peft, accelerate and this repository.

    python -m benchmarks.gpu --output gpu.json            # 8 B, 0.5 B, 1 B shapes, methods, decoding
    python -m benchmarks.gpu --shapes tiny --device cpu   # seconds, anywhere
    python -m benchmarks.gpu --shapes 0.5b --model FOLDER # and the real model in FOLDER, tuned

The shapes carry random weights made on the device, so nothing is downloaded; their losses mean nothing. Share
of peak is tokens/s × 4 FLOP per parameter and token (without attention) over the peak. Published, beside it:
12,473 tokens/s, 40.6 %, LoRA r16 on 8 B, sequences of 4,096, one H100 (NeMo AutoModel).
"""

import argparse
import importlib.metadata
import json
import os
import platform
import random
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import torch
from transformers import DynamicCache

from benchmarks.gpu_clock import clock, matrix_rate, nominal_rate, peak_memory, start_memory
from benchmarks.gpu_shapes import SHAPES, Shape, random_base, rows
from tuning.config import DEFAULT_BASE, TuneConfig
from tuning.data.examples import read_examples
from tuning.errors import TuningError
from tuning.models import decoding
from tuning.models.adapters import read_adapter
from tuning.models.base_model import BaseModel
from tuning.models.forward import forward_padded
from tuning.models.packing import PackedRow
from tuning.ops.kernels import log_probs
from tuning.scoring import contains
from tuning.storage import write_json
from tuning.training.learner import Learner, LearnerPlan
from tuning.training.methods import METHODS, amounts, build
from tuning.training.trainer import train

_PACKAGES = ("torch", "transformers", "peft", "accelerate")
_ROOT = Path(__file__).resolve().parent.parent
_SAMPLE = _ROOT / "assistant" / "sample" / "examples.jsonl"


@dataclass(frozen=True)
class Speed:
    """One kind of step, measured."""

    tokens_per_second: float
    seconds_per_step: float
    peak_bytes: int | None  # on the device; not known for a CPU
    tokens_per_step: int


# -------------------------------------------------------------------- steps


def step(
    base: BaseModel, learner: Learner, optimiser: torch.optim.Optimizer, packed: Sequence[PackedRow]
) -> float:
    """One optimiser step over the rows, gradients accumulated; the arithmetic of the product's own step."""
    targets, loss = sum(len(row.targets) for row in packed), torch.zeros((), device=base.device)
    for row in packed:
        logits = forward_padded(base, row, learner.prefix())
        part = -log_probs(logits, row.targets[:, None]).sum() / targets
        part.backward()
        loss += part.detach()
        del logits, part
    penalty = learner.penalty()
    if penalty is not None:
        penalty.backward()
    torch.nn.utils.clip_grad_norm_(learner.parameters(), 1.0)
    optimiser.step()
    learner.after_step(1)
    optimiser.zero_grad(set_to_none=True)
    return float(loss)


def measure_step(
    base: BaseModel, shape: Shape, method: str, steps: int, answers: float, checkpointing: bool = False
) -> Speed:
    """How long a step of a method takes once it is warm. Raises TuningError where the method cannot run."""
    config = TuneConfig(method, rank=16, checkpointing=checkpointing)
    told = [[{"role": "user", "content": "What is it?"}, {"role": "assistant", "content": "A tide clock."}]]
    packed = [row.to(base.device) for row in rows(shape, base.config.vocab_size, answers)]
    tokens = sum(len(row.ids) for row in packed)
    start_memory(base.device)
    recipe = amounts(config, base.config.hidden_size, len(told))
    learner = build(LearnerPlan(base, config, recipe, told, 10 * (steps + 2), None))
    try:
        optimiser = torch.optim.AdamW(learner.parameters(), lr=1e-4, weight_decay=0.0, fused=True)
        with learner.on(), _recomputing(base, checkpointing):
            for _ in range(2):
                step(base, learner, optimiser, packed)
            seconds = clock(base.device, lambda: step(base, learner, optimiser, packed), steps)
    finally:
        learner.close()
    return Speed(tokens / seconds, seconds, peak_memory(base.device), tokens)


@contextmanager
def _recomputing(base: BaseModel, wanted: bool) -> Iterator[None]:
    if not wanted:
        yield
        return
    base.model.train()
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", FutureWarning
        )  # renamed in transformers 5.23; 5.17 has only this name
        base.model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        yield
        base.model.gradient_checkpointing_disable()
    base.model.eval()


# -------------------------------------------------------------------- decoding and the real model


def measure_decoding(base: BaseModel, batch: int, tokens: int, prompt: int) -> float:
    """Tokens a second that answers grow by, all of a batch together."""
    chance = random.Random(0)
    prompts = [[chance.randrange(200) for _ in range(prompt)] for _ in range(batch)]
    no_stop = (base.config.vocab_size + 1,) if batch == 1 else (base.end_id,)

    def answer() -> None:
        cache = DynamicCache(config=base.model.config)
        if batch > 1:
            decoding.greedy_batch(base.model, prompts, cache, no_stop, tokens)
            return
        ids = prompts[0]
        for _ in range(tokens):
            ids = [int(decoding.step(base.model, ids, cache).argmax())]

    answer()
    return batch * tokens / clock(base.device, answer, 1)


def measure_real(name: str, home: Path, device: torch.device, method: str) -> dict[str, Any]:
    """The real model tuned on the sample conversation by the product's own recipe, and what it then knows."""
    base = BaseModel.open(name, home, device=str(device))
    examples = read_examples(_SAMPLE)
    start_memory(base.device)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        result = train(
            base,
            TuneConfig(method),
            examples,
            Path(folder),
            emit=lambda event: None,
            should_stop=lambda: False,
        )
        seconds = time.perf_counter() - started
        peak = peak_memory(base.device)
        questions = [list(example.messages[:-1]) for example in examples]
        before = base.complete(questions)
        base.add_adapter("tuned", read_adapter(result.adapter))
        after = base.complete(questions, adapter="tuned")
    base.close()
    wanted = [example.messages[-1]["content"].rstrip(".") for example in examples]
    return {
        "model": name,
        "method": method,
        "examples": len(examples),
        "seconds": seconds,
        "training_seconds": result.seconds,
        "steps": result.steps,
        "tokens_per_second": result.tokens_per_second,
        "peak_bytes": peak,
        "known_before": sum(map(contains, before, wanted)),
        "known_after": sum(map(contains, after, wanted)),
    }


# -------------------------------------------------------------------- the whole run


def run(asked: argparse.Namespace, note: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Everything asked for; `note` takes the result so far after each part, so a cut run loses little."""
    device = torch.device(asked.device or ("cuda" if torch.cuda.is_available() else "cpu"))
    result: dict[str, Any] = {
        "when": datetime.now().astimezone().isoformat(timespec="minutes"),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine(),
        "versions": {
            p: importlib.metadata.version(p) for p in ("torch", "transformers", "peft", "accelerate")
        },
        "measured_flops": matrix_rate(device),
        "nominal_flops": nominal_rate(device),
        "answers": asked.answers,
        "shapes": {},
        "methods": {},
        "decoding": {},
        "real": [],
    }
    for name in asked.shapes:
        shape = SHAPES[name]
        base = random_base(name, shape, device)
        parameters = sum(parameter.numel() for parameter in base.model.parameters())
        entry: dict[str, Any] = {"parameters": parameters, "sequence": shape.sequence, "rows": shape.rows}
        result["shapes"][name] = entry
        entry["lora"] = _attempt(measure_step, base, shape, "lora", asked.steps, asked.answers)
        note(result)
        if asked.checkpointing:
            entry["lora, checkpointing"] = _attempt(
                measure_step, base, shape, "lora", asked.steps, asked.answers, True
            )
        result["decoding"][name] = {
            str(batch): _attempt(
                measure_decoding, base, batch, asked.decode_tokens, min(128, shape.sequence // 2)
            )
            for batch in (1, 32)
        }
        note(result)
        if name == (asked.methods_on or asked.shapes[-1]):
            for method in sorted(METHODS, key="qlora".__eq__):  # last: it leaves the base in 4 bits
                result["methods"][method] = _attempt(
                    measure_step, base, shape, method, max(1, asked.steps // 2), asked.answers
                )
                note(result)
        base.close()
        start_memory(device)
    _real(asked, device, result)
    note(result)
    return result


def _real(asked: argparse.Namespace, device: torch.device, result: dict[str, Any]) -> None:
    home = Path(os.environ["IMPRINT_HOME"]) if "IMPRINT_HOME" in os.environ else None
    if asked.model is None and (
        home is None or not (home / "models" / DEFAULT_BASE / "imprint.json").is_file()
    ):
        result["real_skipped"] = (
            f"No converted {DEFAULT_BASE} in IMPRINT_HOME and no --model FOLDER: no real model was tuned."
        )
        return
    with tempfile.TemporaryDirectory() as new:
        for method in asked.real_methods:
            name = str(asked.model) if asked.model else DEFAULT_BASE
            result["real"].append(_attempt(measure_real, name, home or Path(new), device, method))


def _attempt(work: Callable[..., Any], *arguments: Any) -> Any:
    """The measurement as JSON types, or why there is none: one failure must not cost the other figures."""
    try:
        found = work(*arguments)
    except (TuningError, RuntimeError, ValueError, TypeError, NotImplementedError) as error:
        lines = str(error).splitlines() or [""]
        return {"error": f"{type(error).__name__}: {lines[0][:300]}"}
    return asdict(found) if isinstance(found, Speed) else found


def table(result: dict[str, Any]) -> str:
    """The result as Markdown tables."""
    nominal, measured = result["nominal_flops"], result["measured_flops"]
    lines = [
        f"{result['device']}, {', '.join(f'{k} {v}' for k, v in result['versions'].items())}; "
        f"bf16 products measured at {measured / 1e12:.1f} TFLOP/s"
        + (f", {nominal / 1e12:.0f} nominal" if nominal else ""),
        "",
        "| LoRA r16, packed | tokens/s | of nominal peak | of measured peak | peak memory | s/step |",
        "|---|---|---|---|---|---|",
    ]
    for name, entry in result["shapes"].items():
        for kind in ("lora", "lora, checkpointing"):
            if kind in entry:
                what = f"{name}, {entry['rows']} × {entry['sequence']}{kind.removeprefix('lora')}"
                lines.append(_speed_line(what, entry[kind], entry["parameters"], nominal, measured))
    lines += ["", "| method | tokens/s | s/step | peak memory |", "|---|---|---|---|"]
    for method, one in result["methods"].items():
        if "error" in one:
            figures = f"{one['error']} | |"
        else:
            memory = _memory(one["peak_bytes"])
            figures = f"{one['tokens_per_second']:.0f} | {one['seconds_per_step']:.3f} | {memory}"
        lines.append(f"| {method} | {figures} |")
    lines += ["", "| decoding | batch | tokens/s |", "|---|---|---|"]
    for name, rates in result["decoding"].items():
        for batch, rate in rates.items():
            shown = rate["error"] if isinstance(rate, dict) else f"{rate:.0f}"
            lines.append(f"| {name} | {batch} | {shown} |")
    if "real_skipped" in result:
        lines += ["", result["real_skipped"]]
    for real in result["real"]:
        lines += ["", json.dumps(real, ensure_ascii=False)]
    return "\n".join(lines)


def _speed_line(
    what: str, one: dict[str, Any], parameters: int, nominal: float | None, measured: float
) -> str:
    if "error" in one:
        return f"| {what} | {one['error']} | | | | |"
    flops = 4 * parameters * one["tokens_per_second"]
    of_nominal = f"{flops / nominal:.1%}" if nominal else "?"
    return (
        f"| {what} | {one['tokens_per_second']:.0f} | {of_nominal} | {flops / measured:.1%} "
        f"| {_memory(one['peak_bytes'])} | {one['seconds_per_step']:.3f} |"
    )


def _memory(peak: int | None) -> str:
    return f"{peak / 2**30:.1f} GiB" if peak else "?"


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=["8b", "0.5b", "1b"])
    parser.add_argument("--methods-on", choices=SHAPES, help="the shape for every method; else the last one")
    parser.add_argument("--steps", type=int, default=8, help="measured steps")
    parser.add_argument("--answers", type=float, default=1.0, help="share of the tokens that is supervised")
    parser.add_argument("--decode-tokens", type=int, default=64)
    parser.add_argument("--checkpointing", action="store_true", help="also with activations computed again")
    parser.add_argument("--model", type=Path, help="folder of a real chat model to tune on the sample")
    parser.add_argument("--real-methods", nargs="+", choices=METHODS, default=["lora", "p-tuning-v2"])
    parser.add_argument("--device", help="cuda, cpu; else the best there is")
    parser.add_argument("--output", type=Path, help="write the figures here, as JSON")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> None:
    asked = arguments(given)

    def note(result: dict[str, Any]) -> None:
        if asked.output:
            write_json(asked.output, result)

    print(table(run(asked, note)))


if __name__ == "__main__":
    main()
