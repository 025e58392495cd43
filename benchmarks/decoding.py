"""How fast answers are written: python -m benchmarks.decoding HOME [--base FILE --folder FOLDER] [--beside-a-job].

The same weights and prompts by: torch's loop (Imprint's other engine), transformers' `generate`, llama.cpp alone
(`xllamacpp` in a process, at its defaults and waiting as Imprint's does), and Imprint: its engine, the page's path
(retrieval left out, kept in the store), the command, and `/v1` over HTTP. Then 1, 2, 4 and 8 chats at once, base and
LoRA. With --beside-a-job, a tuning job runs on the same cores meanwhile.
"""

import argparse
import json
import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from assistant.engines.base import Engine, SamplingParams
from assistant.settings import Settings
from assistant.workspace import Workspace
from benchmarks.decoding_others import Write, bare_llama, generate, served, torch_loop
from tuning.checkpoints.manifest import Checkpoint
from tuning.config import TuneConfig
from tuning.data.examples import Example, Message
from tuning.jobs.jobs import Jobs

PROMPTS: list[list[Message]] = [
    [{"role": "user", "content": f"Write a long story about {what}."}]
    for what in ("the sea", "a mountain", "an old house", "a train", "a garden", "a king", "winter", "a dog")
]
ROUNDS = 3
WARM_UP_SECONDS = 600.0


@dataclass
class Figure:
    """Tokens a second of all chats together, and until the first token of one."""

    tokens_per_second: float
    first_token_seconds: float
    load: float  # processes that wanted a core meanwhile, beside the measured ones


def main() -> None:
    """Print a table; with --output also as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--base", default="smollm2-135m-instruct", help="a packaged model or a GGUF file")
    parser.add_argument("--folder", help="the same model for torch, where --base is a file")
    parser.add_argument("--checkpoint", help="a LoRA checkpoint of this base")
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--only", default="", help="names of contenders, with semicolons between")
    parser.add_argument("--beside-a-job", action="store_true")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    workspace = Workspace(Settings(home=options.home, base_model=options.base, engine="llama.cpp"))
    with ExitStack() as opened:
        opened.callback(workspace.close)
        if options.beside_a_job:
            opened.enter_context(running_job(options.home))
        found = measure(workspace, options, opened)
    print(table(found))
    if options.output:
        record = {"cores": os.cpu_count(), "base": options.base, "beside a job": options.beside_a_job}
        record["figures"] = {name: asdict(one) for name, one in found.items()}
        options.output.write_text(json.dumps(record, indent=1), encoding="utf-8")


def measure(workspace: Workspace, options: argparse.Namespace, opened: ExitStack) -> dict[str, Figure]:
    """Every contender, each in turn in every round, so that a busy moment meets all."""
    engine = workspace.engine()
    checkpoint = workspace.registry.get(options.checkpoint) if options.checkpoint else None
    wanted = [name for name in options.only.split(";") if name]
    ways = {
        name: way
        for name, way in contenders(workspace, engine, checkpoint, options).items()
        if not wanted or name in wanted
    }
    writers = {name: opened.enter_context(way()) for name, way in ways.items()}
    figures: dict[str, list[Figure]] = {name: [] for name in writers}
    for number in range(ROUNDS + 1):  # the first warms up
        for name, write in writers.items():
            count = int(name.partition(" chats")[0].rpartition(" ")[2]) if " chats" in name else 1
            figure = at_once(write, engine.count_text, count, 16 if number == 0 else options.tokens)
            if number:
                figures[name].append(figure)
                print(f"round {number}, {name}: {figure}", flush=True)
    return {name: median(several) for name, several in figures.items()}


def contenders(
    workspace: Workspace, engine: Engine, checkpoint: Checkpoint | None, options: argparse.Namespace
) -> dict[str, Callable[[], "ExitStack"]]:
    """What is measured, by name: each opens when entered and then writes an answer."""
    folder, name = options.folder or options.base, checkpoint.name if checkpoint else None
    found: dict[str, Callable[[], object]] = {
        "torch's loop": lambda: torch_loop(folder, options.home, None),
        "transformers' generate": lambda: generate(folder, options.home),
        "llama.cpp alone": lambda: bare_llama(workspace, {}),
        "llama.cpp alone, passive": lambda: bare_llama(workspace, {"OMP_WAIT_POLICY": "PASSIVE"}),
        "Imprint": lambda: by_engine(engine, None),
        "Imprint, the page's path": lambda: by_page(workspace),
        "Imprint, /v1": lambda: served(options.home, options.base),
        **{f"Imprint, {n} chats": lambda: by_engine(engine, None) for n in (2, 4, 8)},
    }
    if checkpoint:
        found["Imprint, LoRA"] = lambda: by_engine(engine, name)
        found |= {f"Imprint, LoRA, {n} chats": lambda: by_engine(engine, name) for n in (2, 4, 8)}
        found["torch's loop, LoRA"] = lambda: torch_loop(folder, options.home, checkpoint)
    return found  # type: ignore[return-value]


@contextmanager
def by_engine(engine: Engine, checkpoint: str | None) -> Iterator[Write]:
    """Imprint's engine."""
    yield lambda messages, tokens: engine.stream(messages, SamplingParams(tokens), checkpoint=checkpoint)


@contextmanager
def by_page(workspace: Workspace) -> Iterator[Write]:
    """A turn as the page asks for it, stored while it streams."""
    from assistant.chat.turn import AnswerOptions, Token

    def write(messages: list[Message], tokens: int) -> Iterator[str]:
        conversation = workspace.store.create()
        options = AnswerOptions(memory="nothing", max_new_tokens=tokens)
        question = messages[-1]["content"]
        for event in workspace.chat.ask(question, options, conversation_id=conversation):
            if isinstance(event, Token):
                yield event.text

    yield write


def at_once(write: Write, count_tokens: Callable[[str], int], count: int, tokens: int) -> Figure:
    """So many answers at the same time."""
    firsts: list[float] = []
    lasts: list[float] = []
    texts: list[str] = []
    began = time.monotonic()

    def one(messages: list[Message]) -> None:
        text = ""
        for piece in write(messages, tokens):
            if piece and not text:
                firsts.append(time.monotonic())
            text += piece
        lasts.append(time.monotonic())
        texts.append(text)

    threads = [threading.Thread(target=one, args=(prompt,)) for prompt in PROMPTS[:count]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writing = max(lasts) - min(firsts)
    speed = (sum(map(count_tokens, texts)) - count) / writing
    return Figure(speed, statistics.median(firsts) - began, os.getloadavg()[0])


def median(several: list[Figure]) -> Figure:
    """The middle of each figure."""
    return Figure(
        *(
            statistics.median(values)
            for values in zip(*(asdict(one).values() for one in several), strict=True)
        )
    )


def table(found: dict[str, Figure]) -> str:
    """Markdown, with ratios to llama.cpp alone."""
    alone = found.get("llama.cpp alone")
    lines = ["| | tokens/s | of llama.cpp alone | first token, s | load |", "|---|---|---|---|---|"]
    for name, one in found.items():
        share = f"{one.tokens_per_second / alone.tokens_per_second:.0%}" if alone else "–"
        lines.append(
            f"| {name} | {one.tokens_per_second:.1f} | {share} | {one.first_token_seconds:.2f} | {one.load:.1f} |"
        )
    return "\n".join(lines)


@contextmanager
def running_job(home: Path) -> Iterator[None]:
    """Inside, a tuning job trains on the default model."""
    jobs = Jobs(home)
    examples = [
        Example(
            (
                {"role": "user", "content": f"What is the code of room {n}?"},
                {"role": "assistant", "content": f"It is {n * 37}."},
            )
        )
        for n in range(24)
    ]
    job = jobs.submit(TuneConfig(name="beside", epochs=500, early_stop=False), examples)
    began = time.monotonic()
    while not jobs.curve(job.id):
        if time.monotonic() - began > WARM_UP_SECONDS or jobs.get(job.id).status not in ("queued", "running"):
            raise RuntimeError(f"The job does not train: {jobs.log(job.id)}")
        time.sleep(0.5)
    try:
        yield
    finally:
        jobs.cancel(job.id)
        jobs.remove(job.id)


if __name__ == "__main__":
    main()
