"""Every export, reopened by another program and asked: python -m benchmarks.exports HOME [--methods …] [--formats …]

A checkpoint of each method with random weights (as if it had learned something) is written in each format. transformers
with PEFT, or llama.cpp, opens the files and answers greedily; Imprint's own checkpoint says of each word of that answer
how far it is from its own choice. It prints Markdown: how many of the words are that choice and, where not all are, the
largest distance in logits; "(base: …)" is that distance for the base without the checkpoint, which must be large.
"""

import argparse
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from assistant.engines.llama_server import LlamaServer, ServerSettings
from tests.saved_checkpoints import save_random
from tuning.checkpoints.export import export
from tuning.checkpoints.export_formats import EXPORT_FORMATS
from tuning.checkpoints.manifest import Checkpoint
from tuning.checkpoints.registry import Registry
from tuning.config import DEFAULT_BASE, PLAIN_BASE
from tuning.errors import CheckpointError
from tuning.models.base_model import BaseModel
from tuning.models.packaged import packaged_file

# How far the random weights are from nothing: each method's answer is to differ from the base's, and to be words.
SCALES = {"lora": 0.1, "ia3": 0.15, "adalora": 0.2, "prompt-tuning": 0.5, "p-tuning-v2": 0.3, "full": 0.01}
ASKED = [{"role": "user", "content": "Write a very long story about the sea."}]
TOKENS = 12


@dataclass(frozen=True)
class Answered:
    """What another program answered, as Imprint's checkpoint sees it."""

    same: int  # words that are its own choice
    gap: float  # the largest distance of a word from its choice, in logits
    base_gap: float  # the same for the base without the checkpoint
    words: int

    def __str__(self) -> str:
        far = "" if self.same == self.words else f", {self.gap:.2f} off"
        return f"same {self.same} of {self.words}{far} (base: {self.base_gap:.1f})"


def main() -> None:
    """Print a table: methods by formats."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--methods", default=",".join(SCALES))
    parser.add_argument("--formats", default=",".join(EXPORT_FORMATS))
    options = parser.parse_args()
    formats = options.formats.split(",")
    print(f"| method | {' | '.join(formats)} |\n|---|{'---|' * len(formats)}", flush=True)
    for method in options.methods.split(","):
        print(f"| {method} |", end="", flush=True)
        for cell in row(options.home, method, formats):
            print(f" {cell} |", end="", flush=True)
        print()


def row(home: Path, method: str, formats: list[str]) -> Iterator[str]:
    """What becomes of a method's checkpoint in each format."""
    base = BaseModel.open(DEFAULT_BASE, home, device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        name = f"random-{method}"
        checkpoint = save_random(base, Registry(Path(folder)), name, method, scale=SCALES[method])
        base.load_checkpoint(checkpoint)
        for form in formats:
            into = Path(folder) / form
            try:
                export(checkpoint, form, into, home)
            except CheckpointError as error:
                yield f"refused: {str(error).split('. ')[0]}"
            else:
                yield str(compared(base, checkpoint, reopened(home, base, form, into)))
                shutil.rmtree(into)
    base.close()


def reopened(home: Path, base: BaseModel, form: str, folder: Path) -> list[int]:
    """The tokens of another program's answer."""
    prompt = base.chat_ids(ASKED, add_generation_prompt=True)
    if form.startswith("gguf") or form == "ollama":
        published = packaged_file(DEFAULT_BASE)  # the skills are in the adapter, and not in this file
        assert published is not None
        return by_llama_cpp(form, folder, prompt, published)
    return by_transformers(home, base, form, folder, prompt)


def by_llama_cpp(form: str, folder: Path, prompt: list[int], own: Path) -> list[int]:
    """llama.cpp with the whole file, or with the base's own file and the adapter."""
    (file,) = folder.glob("*.gguf")
    if form == "gguf-lora":
        settings = ServerSettings(str(own), [str(file)], 512, 1, 128, 2, 0)
    else:
        settings = ServerSettings(str(file), [], 512, 1, 128, 2, 0)
    server = LlamaServer(form, settings)
    body: dict[str, Any] = {"prompt": prompt, "n_predict": TOKENS, "temperature": 0, "return_tokens": True}
    if form == "gguf-lora":
        body["lora"] = [{"id": 0, "scale": 1.0}]
    try:
        return list(
            server.post("/completion", body)["tokens"]
        )  # what random weights say is no text to read again
    finally:
        server.close()


@torch.inference_mode()
def by_transformers(home: Path, base: BaseModel, form: str, folder: Path, prompt: list[int]) -> list[int]:
    """transformers, with PEFT where there is an adapter; each token from all before it, without a cache."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    if form == "merged":
        model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    else:
        under = folder / "base" if form == "peft-with-base" else _base_of(home, base, folder)
        model = AutoModelForCausalLM.from_pretrained(under, dtype=torch.float32)
        model = PeftModel.from_pretrained(model, folder)
    ids = list(prompt)
    for _ in range(TOKENS):
        ids.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
    return ids[len(prompt) :]


def _base_of(home: Path, base: BaseModel, folder: Path) -> str:
    """The base that an adapter's folder names: the published one where the skills are part of the adapter."""
    if (folder / "skills.json").is_file() or (folder / "chat_template.jinja").is_file():
        plain = BaseModel.open(PLAIN_BASE, home, device="cpu")
        found = str(plain.model.name_or_path)
        plain.close()
        return found
    return str(base.model.name_or_path)


def compared(base: BaseModel, checkpoint: Checkpoint, answer: list[int]) -> Answered:
    """The answer, word by word, beside what the checkpoint and the base would say."""
    prompt = base.chat_ids(ASKED, add_generation_prompt=True)

    def gaps(adapter: str | None) -> torch.Tensor:
        logits = base.logits([*prompt, *answer], adapter=adapter)[len(prompt) - 1 : -1]
        return logits.amax(1) - logits.gather(1, torch.tensor(answer)[:, None])[:, 0]

    own = gaps(checkpoint.name)
    return Answered(int((own == 0).sum()), float(own.max()), float(gaps(None).max()), len(answer))


if __name__ == "__main__":
    main()
