"""Everything once with a second real model: python -m benchmarks.second_model_walk HOME [--only STEP…].

Chat and documents in English and Chinese, tools, a schema, a LoRA and a P-Tuning v2 job, a comparison, an export that
is opened again: through the command line and over HTTP, as a person uses them. Each step is one JSON file under
HOME/walk and is not repeated; `--report` prints the transcript. The model is `benchmarks.second_model`'s.
"""

import argparse
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import openai
import psutil

from benchmarks import second_model
from benchmarks.decoding_others import served_at
from benchmarks.memory import FOLDER, Fact, read_domain
from tuning.scoring import is_correct
from tuning.storage import write_json

Record = dict[str, Any]
KB = {"radio": "en", "wetland": "zh"}
TAUGHT = 4  # facts of each language
ASKED = 4  # others, of the documents
CHAT = (
    ("What is the capital of France, and what is it known for?", ("Paris",)),
    ("法国的首都是哪里？它以什么闻名？", ("巴黎",)),
    ("Write a Python function that reverses a string.", ("[::-1]", "reversed(")),
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
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
SCHEMA_QUESTIONS = (
    ("Extract the person: Anna Berg is 34 years old and lives in Oslo.", {"name": "Anna Berg", "age": 34}),
    ("提取人物信息：王小明今年二十八岁，住在上海。", {"name": "王小明", "age": 28}),
)


def imprint(home: Path, *words: str, base: str = "") -> Record:
    """One command with --json. Raises RuntimeError where it fails."""
    environment = {
        **os.environ,
        "IMPRINT_HOME": str(home),
        "IMPRINT_BASE_MODEL": base or str(second_model.path()),
    }
    command = [sys.executable, "-m", "assistant.cli", *words, "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"imprint {' '.join(words)} ended with {done.returncode}: {done.stderr.strip()}")
    return dict(json.loads(done.stdout))


def ask(home: Path, question: str, answers: Sequence[str], *words: str, base: str = "") -> Record:
    """A question with its answer, and whether one of these is in it."""
    said = imprint(home, "ask", question, *words, base=base)
    answer = said["answer"]
    right = is_correct(answer, answers) or any(one in answer for one in answers)
    kept = ("prompt_tokens", "completion_tokens", "seconds_to_first_token")
    sources = [one.get("source") for one in said["sources"]]
    return {"question": question, "answer": answer, "right": right, "sources": sources} | {
        key: said[key] for key in kept
    }


def facts(domain: str) -> tuple[list[Fact], list[Fact]]:
    """Those that are taught, and as many that only the document tells."""
    taught, others = read_domain(domain, TAUGHT)
    return taught, others[:ASKED]


def chat(home: Path) -> Record:
    """Questions without documents."""
    return {"asked": [ask(home, question, answers) for question, answers in CHAT]}


def documents(home: Path) -> Record:
    """Questions that only the documents answer, with their sources."""
    asked = []
    for domain in KB:
        imprint(home, "index", str(FOLDER / f"{domain}.md"), "--kb", domain)
        for fact in facts(domain)[1]:
            asked.append(ask(home, fact.question, fact.answers, "--memory", "rag", "--kb", domain))
    return {"asked": asked}


def tools(home: Path) -> Record:
    """Calls of a tool over HTTP."""
    asked = []
    with served_at(home, str(second_model.path())) as address:
        client: Any = openai.OpenAI(base_url=f"{address}/v1", api_key="any", max_retries=0)
        for question, city in TOOL_QUESTIONS:
            messages: list[Any] = [{"role": "user", "content": question}]
            reply = client.chat.completions.create(model="", messages=messages, tools=[TOOL], temperature=0)
            message = reply.choices[0].message
            calls = [[one.function.name, one.function.arguments] for one in message.tool_calls or []]
            right = len(calls) == 1 and city in json.loads(calls[0][1])["city"].lower()
            asked.append(
                {"question": question, "answer": json.dumps(calls, ensure_ascii=False), "right": right}
            )
            if calls:
                messages += [message, {"role": "tool", "tool_call_id": message.tool_calls[0].id,
                                       "content": '{"temperature": -7, "sky": "snow"}'}]  # fmt: skip
                reply = client.chat.completions.create(
                    model="", messages=messages, tools=[TOOL], temperature=0
                )
                text = reply.choices[0].message.content or ""
                asked.append({"question": "… -7, snow", "answer": text, "right": "7" in text})
    return {"asked": asked}


def schema(home: Path) -> Record:
    """Answers held to a schema over HTTP."""
    asked = []
    with served_at(home, str(second_model.path())) as address:
        client: Any = openai.OpenAI(base_url=f"{address}/v1", api_key="any", max_retries=0)
        form = {"type": "json_schema", "json_schema": {"name": "person", "schema": SCHEMA, "strict": True}}
        for question, wanted in SCHEMA_QUESTIONS:
            messages = [{"role": "user", "content": question}]
            reply = client.chat.completions.create(
                model="", messages=messages, response_format=form, temperature=0
            )
            text = reply.choices[0].message.content
            asked.append({"question": question, "answer": text, "right": json.loads(text) == wanted})
    return {"asked": asked}


def tuned(home: Path, method: str) -> Record:
    """A job over a few facts of both languages; then each is asked in words that it was not taught in."""
    lines = []
    for domain in KB:
        lines += [json.dumps({"messages": list(fact.example.messages)}) for fact in facts(domain)[0]]
    path = home / "walk" / "taught.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    with watched(home) as worker:
        words = ("--examples", str(path), "--method", method, "--strength", "gentle", "--name", method)
        job = imprint(home, "tune", *words)
    asked = [
        ask(home, fact.rephrased[1], fact.answers, "--checkpoint", method)
        for domain in KB
        for fact in facts(domain)[0]
    ]
    kept = ("status", "steps", "seconds", "estimate")
    return {"asked": asked, "evaluation": job["evaluation"], **worker} | {key: job[key] for key in kept}


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


def compare(home: Path) -> Record:
    """Base, documents, checkpoint and both on the taught facts and on the others, in other words."""
    rows = [
        {"question": fact.rephrased[0], "answers": list(fact.answers)}
        for domain in ("radio",)
        for part in facts(domain)
        for fact in part
    ]
    path = home / "walk" / "questions.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    words = ("--questions", str(path), "--arms", "base,rag,lora,lora+rag", "--kb", "radio")
    found = imprint(home, "compare", *words)
    return {"arms": found["arms"], "questions": len(rows)}


def export(home: Path) -> Record:
    """The LoRA checkpoint as one GGUF file, which then answers alone."""
    folder = home / "walk" / "gguf"
    imprint(home, "export", "lora", "--format", "gguf-q8_0", "--output", str(folder))
    (path,) = folder.rglob("*.gguf")
    taught = [fact for domain in KB for fact in facts(domain)[0]]
    asked = [ask(home, fact.question, fact.answers, base=str(path)) for fact in taught[::2]]
    return {"asked": asked, "bytes": path.stat().st_size}


STEPS: dict[str, Callable[[Path], Record]] = {
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
    folder = options.home / "walk"
    folder.mkdir(parents=True, exist_ok=True)
    if not options.report:
        second_model.fetch()
        for name in options.only or STEPS:
            if not (folder / f"{name}.json").exists():
                print(f"{name} …", file=sys.stderr, flush=True)
                write_json(folder / f"{name}.json", STEPS[name](options.home))
    print(report(folder))


if __name__ == "__main__":
    main()
