"""Training speed and memory beside TRL's SFTTrainer: the same model, examples, batches, method, one run.

    python -m benchmarks.training                 # every contender in a process of its own, then a table
    python -m benchmarks.training --profile       # where Imprint's own time goes

LoRA r16 on all linear layers, plain supervised fine-tuning: no noise, no replay, no early stop. The examples
are invented. The first batch warms up and is not counted. Tokens that count are those of the examples,
without padding; a beginning that several examples share counts for each, and "computed" says how many
went through the model.
"""

import argparse
import contextlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # spinning threads stall others; read when torch loads
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import torch

from tuning.config import DEFAULT_BASE, TuneConfig
from tuning.data.examples import Example
from tuning.models.base_model import BaseModel
from tuning.models.packing import encode
from tuning.models.template import Template
from tuning.storage import write_json
from tuning.training.recipe import recipe
from tuning.training.train_result import TrainResult
from tuning.training.trainer import train

_PACKAGES = ("torch", "transformers", "peft", "trl")
_RANK = 16
_RATE = 1e-3
_FLOP_PER_PARAMETER = 4  # forward 2, backward to the activations 2: LoRA's base takes no gradient itself
Message = dict[str, str]


@dataclass(frozen=True)
class Task:
    """What every contender is given."""

    model: Path  # a folder with safetensors, tokenizer and config
    home: Path
    conversations: list[list[Message]]  # the first `batch` of them warm up
    batch: int
    workspace: Path


@dataclass(frozen=True)
class Measured:
    """What a contender took for everything after its first batch."""

    seconds: float
    cpu_seconds: float  # of all threads: says more than seconds where the machine is shared
    peak_bytes: int  # resident, the whole process with its libraries and the model
    loss: float  # of the last step
    computed: int | None = None  # tokens through the model, where the contender knows


@dataclass(frozen=True)
class Contender:
    """A way to train, in one line."""

    title: str
    run: Callable[[Task], Measured]
    needs: str | None = None  # a package


# -------------------------------------------------------------------- the examples

_PLACES = ("the harbour of Ulm-Sorrel", "Vessany", "the Teal Quarter", "Mount Ordrin", "the Isle of Karrow")
_THINGS = ("tide clock", "copper loom", "paper kite", "salt oven", "glass flute", "rope bridge")
_PEOPLE = ("Ilka Morrow", "Tobin Hale", "Senna Varga", "old Pim Addle", "Doctor Quill")
_ASKED = (
    "Explain to a beginner how the {thing} of {place} is built and kept in order.",
    "Write a short note from {person} about the day the {thing} was brought to {place}.",
    "Summarise the following text in a few sentences.\n\n{text}",
    "What should a visitor to {place} know about the {thing}? Give the answer as steps.",
)
_SENTENCES = (
    "The {thing} was first made in {place}, where {person} kept a workshop above the {colour} stairs.",
    "Every {number} days somebody has to open it, brush the {colour} dust from its hinges and close it.",
    "{person} wrote that nothing in {place} is older, except the {colour} gate and the habit of being late.",
    "It takes {number} people to carry it, and one more to tell them where the wall is.",
    "In winter it stands still; in spring it is oiled with linseed and turned {number} times to the left.",
    "Children are told that it once sang, but {person} only ever heard the wind in the {colour} pipes.",
    "Those who repair it are paid in {number} loaves, which is more than the mayor of {place} gets.",
)
_COLOURS = ("blue", "ochre", "pale green", "violet", "rust-red", "white")


def conversations(count: int, seed: int = 0) -> list[list[Message]]:
    """Instructions and answers about things that do not exist; about 200 tokens each, of uneven length."""
    chance = random.Random(seed)

    def words() -> dict[str, str]:
        return {
            "thing": chance.choice(_THINGS),
            "place": chance.choice(_PLACES),
            "person": chance.choice(_PEOPLE),
            "colour": chance.choice(_COLOURS),
            "number": str(chance.randrange(3, 40)),
        }

    def text(sentences: int) -> str:
        return " ".join(chance.choice(_SENTENCES).format(**words()) for _ in range(sentences))

    made = []
    for _ in range(count):
        question = chance.choice(_ASKED).format(**words(), text=text(chance.randrange(2, 5)))
        answer = text(chance.choice((1, 2, 3, 4, 5, 6, 8, 12)))
        made.append([{"role": "user", "content": question}, {"role": "assistant", "content": answer}])
    return made


def count_tokens(base: Template, told: Sequence[Sequence[Message]]) -> int:
    """The tokens of the conversations as the model reads them."""
    return sum(len(one.ids) for messages in told for one in encode(base, messages))


# -------------------------------------------------------------------- Imprint


def plain() -> TuneConfig:
    """Fine-tuning as every tutorial does it: one pass, nothing protected."""
    return TuneConfig(
        "lora",
        rank=_RANK,
        layers="all",
        learning_rate=_RATE,
        epochs=1,
        noise=False,
        reversals=0,
        reading=0,
        replay=0,
        early_stop=False,
        device="cpu",
    )


def batch_size(base: Template) -> int:
    """How many examples Imprint takes a step."""
    return recipe(plain(), "low-rank", base.config.hidden_size).examples_per_step


def imprint(task: Task) -> Measured:
    """Imprint's own trainer, as a job runs it."""
    base = BaseModel.open(DEFAULT_BASE, task.home, device="cpu")
    _train(base, task.conversations[: task.batch], task.workspace / "warm")
    before = time.process_time()
    result = _train(base, task.conversations[task.batch :], task.workspace / "run")
    cpu = time.process_time() - before
    return Measured(result.seconds, cpu, _peak(), result.loss, result.tokens)


def _train(base: BaseModel, told: Sequence[Sequence[Message]], folder: Path) -> TrainResult:
    examples = [Example(tuple(messages)) for messages in told]
    return train(base, plain(), examples, folder, emit=lambda event: None, should_stop=lambda: False)


# -------------------------------------------------------------------- TRL


def _trl(task: Task, dtype: str | None, **settings: Any) -> Measured:
    """SFTTrainer with the settings of a run that all contenders share, and these on top of its defaults."""
    from datasets import Dataset, disable_progress_bars  # type: ignore[import-untyped]  # only where used
    from peft import LoraConfig
    from transformers import AutoTokenizer, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    disable_progress_bars()
    marks: list[tuple[float, float]] = []

    class Clock(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            marks.append((time.perf_counter(), time.process_time()))

    tokenizer = AutoTokenizer.from_pretrained(task.model, trust_remote_code=False)
    rows = [{"prompt": told[:-1], "completion": told[-1:]} for told in task.conversations]
    trainer = SFTTrainer(
        model=str(task.model),
        args=SFTConfig(
            output_dir=str(task.workspace),
            per_device_train_batch_size=task.batch,
            learning_rate=_RATE,
            num_train_epochs=1,
            train_sampling_strategy="sequential",  # so that the first batch is the one that warms up
            save_strategy="no",
            report_to="none",
            logging_steps=1,
            disable_tqdm=True,
            use_cpu=True,
            model_init_kwargs={"dtype": dtype} if dtype else None,
            **settings,
        ),
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
        peft_config=LoraConfig(
            r=_RANK, lora_alpha=2 * _RANK, target_modules="all-linear", task_type="CAUSAL_LM"
        ),
        callbacks=[Clock()],
    )
    with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
        warnings.simplefilter("ignore")
        trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    (first, first_cpu), (last, last_cpu) = marks[0], marks[-1]
    return Measured(last - first, last_cpu - first_cpu, _peak(), float(losses[-1]))


def trl_defaults(task: Task) -> Measured:
    """float32 base under bf16 autocast, gradient checkpointing, padded batches."""
    return _trl(task, None)


def trl_bf16(task: Task) -> Measured:
    """bf16 base, nothing computed twice, padded batches."""
    return _trl(task, "bfloat16", gradient_checkpointing=False)


def trl_packed(task: Task) -> Measured:
    """bf16 base, nothing computed twice, the same batches flattened into one row without padding."""
    return _trl(task, "bfloat16", gradient_checkpointing=False, padding_free=True, max_length=None)


CONTENDERS = {
    "imprint": Contender("Imprint", imprint),
    "trl-defaults": Contender("TRL, its defaults", trl_defaults, "trl"),
    "trl-bf16": Contender("TRL, bf16 base, no checkpointing", trl_bf16, "trl"),
    "trl-packed": Contender("TRL, the same, padding-free", trl_packed, "trl"),
}


# -------------------------------------------------------------------- measuring


def _peak() -> int:
    """The most memory this process ever held."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def matrix_rate(seconds: float = 1.5, size: int = 2048) -> float:
    """bf16 FLOP/s of a large square product: the best of many, so a busy moment hides little."""
    a, b = torch.randn(size, size).bfloat16(), torch.randn(size, size).bfloat16()
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best


def run_apart(name: str, home: Path, examples: int) -> Measured:
    """A contender in a process of its own, so that its peak is its own."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "measured.json"
        command = [sys.executable, "-m", "benchmarks.training", "--contender", name]
        command += ["--home", str(home), "--examples", str(examples), "--output", str(output)]
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent)
        if done.returncode != 0:
            raise SystemExit(f"{name} ended with {done.returncode}:\n{done.stderr[-3000:]}")
        return Measured(**json.loads(output.read_text(encoding="utf-8")))


def run_here(name: str, home: Path, examples: int) -> Measured:
    """A contender in this process."""
    base = Template.read(DEFAULT_BASE, home)
    with tempfile.TemporaryDirectory() as folder:
        task = Task(
            home / "models" / DEFAULT_BASE, home, conversations(examples), batch_size(base), Path(folder)
        )
        return CONTENDERS[name].run(task)


def compare(names: Sequence[str], home: Path, examples: int) -> dict[str, Any]:
    """Every contender after the other, and the machine's own limit before and after."""
    base = BaseModel.open(DEFAULT_BASE, home, device="cpu")
    parameters = sum(parameter.numel() for parameter in base.model.parameters())
    told, batch = conversations(examples), batch_size(base)
    tokens = count_tokens(base, told[batch:])
    base.close()
    rate = matrix_rate()
    measured = {name: asdict(run_apart(name, home, examples)) for name in names}
    return {
        "when": datetime.now().astimezone().isoformat(timespec="minutes"),
        "machine": f"{os.cpu_count()} cores, {platform.processor() or platform.machine()}",
        "versions": {p: importlib.metadata.version(p) for p in _PACKAGES if importlib.util.find_spec(p)},
        "load_before": os.getloadavg()[0],
        "model": DEFAULT_BASE,
        "parameters": parameters,
        "examples": len(told) - batch,
        "examples_per_step": batch,
        "tokens": tokens,
        "matrix_flops": [rate, matrix_rate()],
        "contenders": measured,
    }


def table(result: dict[str, Any]) -> str:
    """The result as a Markdown table, with the limit of the machine under it."""
    tokens, contenders = result["tokens"], result["contenders"]
    limit = max(result["matrix_flops"]) / (_FLOP_PER_PARAMETER * result["parameters"])
    slowest = contenders.get("trl-defaults")
    lines = [
        "| | tokens/s | tokens per CPU second | computed | of the limit | peak memory | × TRL's defaults |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, one in contenders.items():
        rate, computed = tokens / one["seconds"], one["computed"] or tokens
        times = f"{slowest['seconds'] / one['seconds']:.1f}" if slowest else ""
        lines.append(
            f"| {CONTENDERS[name].title} | {rate:.0f} | {tokens / one['cpu_seconds']:.0f} | {computed} "
            f"| {computed / one['seconds'] / limit:.0%} | {one['peak_bytes'] / 2**30:.2f} GiB | {times} |"
        )
    before, after = (rate / 1e9 for rate in result["matrix_flops"])
    lines += [
        "",
        f"{result['examples']} examples, {tokens} tokens, {result['examples_per_step']} examples a step. "
        f"The machine's limit: bf16 products at {before:.0f} (before) and {after:.0f} (after) GFLOP/s, by "
        f"{_FLOP_PER_PARAMETER} × {result['parameters'] / 1e6:.1f} M FLOP a token: {limit:.0f} tokens/s.",
    ]
    return "\n".join(lines)


def profile(home: Path, examples: int) -> str:
    """The operators that Imprint's training spends its time in."""
    base = BaseModel.open(DEFAULT_BASE, home, device="cpu")
    told, batch = conversations(examples), batch_size(base)
    with tempfile.TemporaryDirectory() as folder:
        _train(base, told[:batch], Path(folder) / "warm")
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as seen:
            _train(base, told[batch : 2 * batch], Path(folder) / "run")
    return str(seen.key_averages().table(sort_by="self_cpu_time_total", row_limit=28))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--home", type=Path, help="an Imprint home; else IMPRINT_HOME, else a new folder")
    parser.add_argument("--examples", type=int, default=48, help="how many, the first batch to warm up")
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, help="these contenders")
    parser.add_argument("--output", type=Path, help="write the measurements here, as JSON")
    parser.add_argument("--profile", action="store_true", help="where Imprint's own time goes")
    parser.add_argument("--contender", choices=CONTENDERS, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    with contextlib.ExitStack() as stack:
        home = asked.home or Path(os.environ.get("IMPRINT_HOME") or stack.enter_context(_new_home()))
        if asked.contender:
            written: dict[str, Any] = asdict(run_here(asked.contender, home, asked.examples))
        elif asked.profile:
            print(profile(home, asked.examples))
            return
        else:
            names = [name for name in asked.only or CONTENDERS if _at_hand(CONTENDERS[name])]
            written = compare(names, home, asked.examples)
            print(table(written))
    if asked.output:
        write_json(asked.output, written)


def _at_hand(contender: Contender) -> bool:
    found = contender.needs is None or importlib.util.find_spec(contender.needs) is not None
    if not found:
        print(f"{contender.title}: {contender.needs} is not installed: not measured.", file=sys.stderr)
    return found


@contextlib.contextmanager
def _new_home() -> Any:
    with tempfile.TemporaryDirectory(prefix="imprint-") as folder:
        yield folder


if __name__ == "__main__":
    main()
