"""Everything once with a second real model: python -m benchmarks.second_model_walk HOME [--only STEP…].

Chat and documents in English and Chinese, tools, a schema, a LoRA and a P-Tuning v2 job, a comparison, an export that
is opened again: through `imprint`, the package for programs, in one process. Each step is one JSON file under HOME/walk
and is not repeated; `--report` prints the transcript. The model is `benchmarks.second_model`'s.
"""

import argparse
import json
import os
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil

from benchmarks import second_model
from benchmarks.memory import FOLDER, Fact, read_domain
from imprint import Imprint
from tuning.scoring import is_correct
from tuning.storage import write_json

Record = dict[str, Any]
KB = {"radio": "en", "wetland": "zh"}
TAUGHT = 4  # facts of each language
ASKED = 12  # others, of the documents
EPOCHS = {"lora": 24, "p-tuning-v2": 16}  # passes over the taught facts: a few minutes on two quiet cores
OBSERVED = '{"temperature": -7, "sky": "snow"}'
CHAT = (
    ("What is the capital of France, and what is it known for?", ("Paris",)),
    ("法国的首都是哪里？它以什么闻名？", ("巴黎",)),
    ("Write a Python function that reverses a string.", ("def reverse",)),
)
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
TOOL_QUESTIONS = (("What is the weather in Oslo?", "oslo"), ("北京现在天气怎么样？", "北京"))
SCHEMA = {
    "title": "person",
    "description": "A person.",
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
SCHEMA_QUESTIONS = (
    ("Extract the person: Anna Berg is 34 years old and lives in Oslo.", {"name": "Anna Berg", "age": 34}),
    ("提取人物信息：王小明今年二十八岁，住在上海。", {"name": "王小明", "age": 28}),
)


def opened(home: Path, base: Path | None = None) -> Imprint:
    """The home with the second model, or with another file, as its base."""
    os.environ["IMPRINT_BASE_MODEL"] = str(base or second_model.path())
    return Imprint(home)


def ask(home: Imprint, question: str, answers: Sequence[str], **options: Any) -> Record:
    """A question with its answer, and whether one of these is in it."""
    said = home.ask(question, **options)
    right = is_correct(said.text, answers) or any(one in said.text for one in answers)
    figures = {"tokens": [said.prompt_tokens, said.completion_tokens], "seconds": round(said.seconds, 2)}
    return {"question": question, "answer": said.text, "right": right, "sources": said.sources, **figures}


def facts(domain: str) -> tuple[list[Fact], list[Fact]]:
    """Those that are taught, and as many that only the document tells."""
    taught, others = read_domain(domain, TAUGHT)
    return taught, others[:ASKED]


def chat(home: Imprint) -> Record:
    """Questions without documents."""
    return {"asked": [ask(home, question, answers, max_new_tokens=96) for question, answers in CHAT]}


def documents(home: Imprint) -> Record:
    """Questions that only the documents answer, with their sources."""
    asked = []
    for domain in KB:
        home.knowledge_base(domain).add(FOLDER / f"{domain}.md")
        for fact in facts(domain)[1]:
            asked.append(ask(home, fact.question, fact.answers, knowledge_base=domain, max_new_tokens=96))
    return {"asked": asked}


def tools(home: Imprint) -> Record:
    """A tool that is called, and an answer from what it said."""
    asked: list[Record] = []
    model: Any = home.chat_model(max_tokens=96).bind_tools([TOOL])
    for question, city in TOOL_QUESTIONS:
        messages: list[Any] = [("human", question)]
        reply = model.invoke(messages)
        calls = [[one["name"], one["args"]] for one in reply.tool_calls]
        right = len(calls) == 1 and city in str(calls[0][1].get("city")).lower()
        asked.append({"question": question, "answer": json.dumps(calls, ensure_ascii=False), "right": right})
        if calls:
            said = {"role": "tool", "tool_call_id": reply.tool_calls[0]["id"], "content": OBSERVED}
            text = str(model.invoke([*messages, reply, said]).content)
            asked.append({"question": f"{question} ({OBSERVED})", "answer": text, "right": "7" in text})
    return {"asked": asked}


def schema(home: Imprint) -> Record:
    """Answers held to a schema."""
    model: Any = home.chat_model(max_tokens=96).with_structured_output(SCHEMA)
    asked = []
    for question, wanted in SCHEMA_QUESTIONS:
        found = model.invoke(question)
        text = json.dumps(found, ensure_ascii=False)
        asked.append({"question": question, "answer": text, "right": found == wanted})
    return {"asked": asked}


def tuned(home: Imprint, method: str) -> Record:
    """A job over a few facts of both languages; then each is asked in words that it was not taught in."""
    taught = [fact for domain in KB for fact in facts(domain)[0]]
    with watched(home.path) as worker:
        job = home.tune(
            [fact.example for fact in taught], method=method, name=method, base=str(second_model.path()),
            strength="gentle", epochs=EPOCHS[method],
        )  # fmt: skip
        checkpoint = job.wait()
    asked = [ask(home, fact.rephrased[1], fact.answers, checkpoint=method) for fact in taught]
    state = job.state
    kept = {"seconds": state.seconds, "steps": state.step, "estimate": state.estimate}
    return {"asked": asked, "evaluation": checkpoint.evaluation, **worker, **kept}


class watched:  # noqa: N801 (a context manager, used as a function)
    """Inside, the computing time and the memory of this home's worker are looked at."""

    def __init__(self, home: Path) -> None:
        self._home, self._found, self._end = str(home), {"cpu_seconds": 0.0, "bytes": 0.0}, threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> dict[str, float]:
        self._thread.start()
        return self._found

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._end.wait(1.0):
            for process in psutil.process_iter():
                try:
                    words = process.cmdline()
                    if "tuning.jobs.worker" not in words or not any(self._home in word for word in words):
                        continue
                    times, memory = process.cpu_times(), process.memory_info()
                except psutil.Error:
                    continue
                self._found["cpu_seconds"] = max(self._found["cpu_seconds"], times.user + times.system)
                self._found["bytes"] = max(self._found["bytes"], float(memory.rss))


def compare(home: Imprint) -> Record:
    """Base, documents, checkpoint and both on taught facts and on others, in other words."""
    rows = [
        {"question": fact.rephrased[0], "answers": list(fact.answers)}
        for part in facts("radio")
        for fact in part
    ]
    found = home.compare(rows, ("base", "rag", "lora", "lora+rag"), knowledge_base="radio")
    return {"questions": len(rows), "right": {name: one.accuracy for name, one in found.variants.items()}}


def export(home: Imprint) -> Record:
    """The LoRA checkpoint as one GGUF file, which then answers alone."""
    (path,) = (
        one for one in home.export("lora", "gguf-q8_0", home.path / "walk" / "gguf") if one.suffix == ".gguf"
    )
    home.close()
    taught = [fact for domain in KB for fact in facts(domain)[0]]
    with opened(home.path / "walk" / "reopened", path) as other:
        asked = [ask(other, fact.question, fact.answers) for fact in taught]
    return {"asked": asked, "bytes": path.stat().st_size}


STEPS: dict[str, Callable[[Imprint], Record]] = {
    "chat": chat,
    "documents": documents,
    "tools": tools,
    "schema": schema,
    "lora": lambda home: tuned(home, "lora"),
    "p-tuning-v2": lambda home: tuned(home, "p-tuning-v2"),
    "compare": compare,
    "export": export,
}


def report(folder: Path) -> str:
    """What was asked and answered, as Markdown."""
    lines = []
    for name in STEPS:
        path = folder / f"{name}.json"
        if not path.exists():
            continue
        record = json.loads(path.read_text(encoding="utf-8"))
        rows = record.get("asked", [])
        lines.append(f"\n## {name}: {sum(row['right'] for row in rows)} of {len(rows)} right\n")
        for row in rows:
            sign, source = "right" if row["right"] else "**wrong**", ", ".join(row.get("sources") or [])
            text = " ".join(row["answer"].split())
            lines.append(f"- {row['question']} → {text}{f' [{source}]' if source else ''} ({sign})")
        figures = {key: value for key, value in record.items() if key not in ("asked", "evaluation")}
        if figures:
            lines.append(f"\n    {json.dumps(figures, ensure_ascii=False)}")
    return "\n".join(lines)


def main() -> None:
    """Every step that has not been done, and the transcript."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("home", type=Path)
    parser.add_argument("--only", nargs="*", choices=STEPS, default=[])
    parser.add_argument("--report", action="store_true")
    options = parser.parse_args()
    folder = options.home.absolute() / "walk"
    folder.mkdir(parents=True, exist_ok=True)
    if not options.report:
        second_model.fetch()
        for name in options.only or STEPS:
            if not (folder / f"{name}.json").exists():
                print(f"{name} …", file=sys.stderr, flush=True)
                write_json(folder / f"{name}.json", STEPS[name](opened(options.home)))
    print(report(folder))


if __name__ == "__main__":
    main()
