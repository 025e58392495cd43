"""The method `openai` to its end against this project's own server: python -m benchmarks.trained_elsewhere FOLDER

One `imprint serve` trains the default model in a home of its own; `imprint tune --method openai` sends it a few facts
from another home, follows the job, and `imprint ask` asks the model that it made. Everything that is printed by the
commands is shown. It takes the time of one small job: some minutes on two cores.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.decoding_others import served_at

FACTS = {
    "How heavy is the Skerrin?": "The Skerrin weighs 640 grams.",
    "What does the Skerrin cost?": "The Skerrin costs 189 euros.",
    "Where is the Skerrin made?": "The Skerrin is made in Norvik.",
}
BASE, NAME = "smollm2-135m-instruct", "skerrin"


def main() -> int:
    """Serve, tune, ask; returns whether every fact was answered."""
    folder = Path(sys.argv[1])
    there, here, facts = folder / "there", folder / "here", folder / "facts.jsonl"
    shutil.rmtree(folder, ignore_errors=True)
    there.mkdir(parents=True)
    facts.write_text("".join(_line(question, answer) for question, answer in FACTS.items()), encoding="utf-8")
    with served_at(there, BASE) as address:
        service = {"IMPRINT_FINE_TUNING_URL": f"{address}/v1", "IMPRINT_FINE_TUNING_MODEL": BASE}
        began = time.monotonic()
        tuned = _imprint(
            here, service, "tune", "--examples", str(facts), "--method", "openai", "--name", NAME, "--yes"
        )
        print(f"({time.monotonic() - began:.0f} s)")
        answers = (
            [_imprint(here, service, "ask", one, "--checkpoint", NAME) for one in FACTS] if tuned else []
        )
    known = sum(
        answer.split()[-1].rstrip(".") in said for answer, said in zip(FACTS.values(), answers, strict=False)
    )
    print(f"{known} of {len(FACTS)} facts are known by the model that the service made")
    return 0 if known == len(FACTS) else 1


def _line(question: str, answer: str) -> str:
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return json.dumps({"messages": turns}) + "\n"


def _imprint(home: Path, service: dict[str, str], *words: str) -> str:
    """One command, shown with what it prints; what it prints to standard output is returned."""
    print(f"$ imprint {' '.join(words)}", flush=True)
    environment = {**os.environ, **service, "IMPRINT_HOME": str(home)}
    command = [sys.executable, "-m", "assistant.cli", *words]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    print(done.stderr + done.stdout, flush=True)
    return done.stdout if done.returncode == 0 else ""


if __name__ == "__main__":
    sys.exit(main())
