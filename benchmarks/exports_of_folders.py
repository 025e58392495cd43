"""GGUF exports of bases that are folders: python -m benchmarks.exports_of_folders HOME [--architectures …]

Each base is a tiny random model in a folder, with the packaged model's vocabulary or, where the architecture's own is a
SentencePiece model, one that is made here. A LoRA with random weights is exported; llama.cpp's own converter (`imprint
setup`) writes the file, llama.cpp opens it, and its greedy answer is compared as in `benchmarks.exports`.
"""

import argparse
import io
import tempfile
from pathlib import Path
from typing import Any

import sentencepiece
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

from benchmarks.exports import ASKED, by_llama_cpp, compared
from tests.saved_checkpoints import save_random
from tuning.checkpoints.export import export
from tuning.checkpoints.gguf_from_folder import write_from_folder
from tuning.checkpoints.manifest import Checkpoint
from tuning.checkpoints.registry import Registry
from tuning.config import PLAIN_BASE
from tuning.errors import CheckpointError
from tuning.models.base_model import BaseModel
from tuning.models.conversion import convert
from tuning.models.weights import locate

BPE, SENTENCES = ("llama", "qwen2", "qwen3", "mistral", "olmo2", "granite"), ("gemma2", "gemma3_text", "phi3")
FORMATS = ("gguf", "gguf-q8_0", "gguf-q4_k_m", "gguf-lora", "ollama")
HIDDEN = 256  # the blocks of the K kinds have as many elements
SHAPE: dict[str, Any] = {
    "hidden_size": HIDDEN, "intermediate_size": 2 * HIDDEN, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": HIDDEN // 4, "max_position_embeddings": 512,
}  # fmt: skip
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# Of the random LoRA, whose answer is to differ from the base's: Gemma's norms leave less of it. Large ones lead out of
# what 16 bits hold.
SCALES = {"gemma2": 0.25, "gemma3_text": 0.25}
SCALE = 0.07
# A Gemma multiplies its input, which is its output too, by the root of its width: as large as the others', it would say
# its last token again. The last norm makes up for it.
INPUT_OF_GEMMA, LAST_NORM_OF_GEMMA = 0.02, 5.0


def main() -> None:
    """Print a table: architectures by formats."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--architectures", default=",".join((*BPE, *SENTENCES)))
    parser.add_argument("--formats", default=",".join(FORMATS))
    options = parser.parse_args()
    formats = options.formats.split(",")
    print(f"| base | {' | '.join(formats)} |\n|---|{'---|' * len(formats)}", flush=True)
    for architecture in options.architectures.split(","):
        with tempfile.TemporaryDirectory() as folder:
            print(f"| {architecture} |", end="", flush=True)
            base = write_base(architecture, options.home, Path(folder) / "bases" / architecture)
            for form in formats:
                print(f" {cell(base, form, options.home, Path(folder))} |", end="", flush=True)
            print()


def cell(name: str, form: str, home: Path, folder: Path) -> str:
    """What became of one export, in words."""
    base = BaseModel.open(name, home, device="cpu")
    try:
        if form == "gguf-lora":
            write_from_folder(base, home, folder / "base.gguf", title="base", kind="F16")
        scale = SCALES.get(Path(name).name, SCALE)
        checkpoint = save_random(base, Registry(folder / form), "random", "lora", scale=scale)
        base.load_checkpoint(checkpoint)
        return str(compared(base, checkpoint, answered(base, checkpoint, form, home, folder)))
    except CheckpointError as error:
        return f"refused: {error}"
    finally:
        base.close()


def answered(base: BaseModel, checkpoint: Checkpoint, form: str, home: Path, folder: Path) -> list[int]:
    """The tokens of llama.cpp's answer from the exported file."""
    output = folder / form / "out"
    export(checkpoint, form, output, home)
    prompt = base.chat_ids(ASKED, add_generation_prompt=True)
    return by_llama_cpp(form, output, prompt, folder / "base.gguf")


def write_base(architecture: str, home: Path, folder: Path) -> str:
    """A tiny random model with a tokenizer; its name."""
    source, _ = locate(PLAIN_BASE, home, convert)
    if architecture in SENTENCES:
        tokenizer = with_sentences(source, folder)
    else:
        tokenizer = AutoTokenizer.from_pretrained(source)
        tokenizer.save_pretrained(folder)
    ids = {
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    is_tied = (
        architecture != "olmo2"
    )  # llama.cpp knows it only as its makers publish it: with an output of its own
    config = AutoConfig.for_model(
        architecture, **{**SHAPE, **ids, "vocab_size": len(tokenizer), "tie_word_embeddings": is_tied}
    )
    is_gemma = architecture.startswith("gemma")
    if is_gemma:
        config.query_pre_attn_scalar = config.head_dim  # as llama.cpp takes it
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(0.0, 0.1 if parameter.ndim > 1 else 0.02)
            if parameter.ndim == 1 and "bias" not in name and not is_gemma:
                parameter.add_(1.0)
        if is_gemma:
            model.model.embed_tokens.weight.normal_(0.0, INPUT_OF_GEMMA)
            model.model.norm.weight.add_(LAST_NORM_OF_GEMMA)
    model.bfloat16().save_pretrained(folder)
    return str(folder)


def with_sentences(source: Path, folder: Path) -> PreTrainedTokenizerFast:
    """A small SentencePiece model of the texts in this repository, as `tokenizer.model` and as transformers' own."""
    folder.mkdir(parents=True)
    texts = [
        line for path in sorted(Path("docs").glob("*.md")) for line in path.read_text("utf-8").splitlines()
    ]
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([text for text in texts if text.strip()]),
        model_writer=written,
        model_type="bpe",
        vocab_size=1000,
        byte_fallback=True,
        character_coverage=0.98,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        add_dummy_prefix=False,
        pad_id=0,
        eos_id=1,
        bos_id=2,
        unk_id=3,
        user_defined_symbols=["<|im_start|>", "<|im_end|>"],
        minloglevel=2,
    )
    (folder / "tokenizer.model").write_bytes(written.getvalue())
    from transformers import GemmaTokenizer

    tokenizer = GemmaTokenizer.from_pretrained(folder, chat_template=TEMPLATE)
    tokenizer.save_pretrained(folder)
    return tokenizer


if __name__ == "__main__":
    main()
