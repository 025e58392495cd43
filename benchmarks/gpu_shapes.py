"""Llamas of the sizes that people use, with random weights made on the device, and rows of random tokens for them."""

import random
from dataclasses import dataclass

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedTokenizerFast

from tuning.models.base_model import BaseModel
from tuning.models.packing import Encoded, PackedRow, pack


@dataclass(frozen=True)
class Shape:
    """A Llama of this size; `sequence` is how long its packed rows are."""

    hidden: int
    layers: int
    heads: int
    kv_heads: int
    inner: int
    vocabulary: int
    tied: bool
    sequence: int = 4096
    rows: int = 1  # a step

    def config(self) -> LlamaConfig:
        """As transformers wants it."""
        return LlamaConfig(
            hidden_size=self.hidden,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            num_key_value_heads=self.kv_heads,
            intermediate_size=self.inner,
            vocab_size=self.vocabulary,
            tie_word_embeddings=self.tied,
            max_position_embeddings=max(8192, 2 * self.sequence),
            rope_parameters={"rope_type": "default", "rope_theta": 500000.0},
            bos_token_id=256,
            eos_token_id=257,
            pad_token_id=257,
        )


SHAPES = {
    "8b": Shape(4096, 32, 32, 8, 14336, 128256, tied=False, rows=2),  # Llama 3.1 8B
    "1b": Shape(2048, 16, 32, 8, 8192, 128256, tied=True, rows=4),  # Llama 3.2 1B
    "0.5b": Shape(896, 24, 14, 2, 4864, 151936, tied=True, rows=4),  # Qwen 2.5 0.5B's, as a Llama
    "tiny": Shape(64, 2, 4, 2, 128, 300, tied=True, sequence=96, rows=2),
}


def tokenizer() -> PreTrainedTokenizerFast:
    """One token a byte and two marks of turns: enough to have a chat template."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    bytes_only = Tokenizer(models.BPE({mark: index for index, mark in enumerate(alphabet)}, []))
    bytes_only.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bytes_only.decoder = decoders.ByteLevel()
    bytes_only.add_special_tokens([AddedToken("<s>", special=True), AddedToken("</s>", special=True)])
    made = PreTrainedTokenizerFast(tokenizer_object=bytes_only, bos_token="<s>", eos_token="</s>")
    made.chat_template = (
        "{% for message in messages %}<s>{{ message.role }}\n{{ message.content }}</s>{% endfor %}"
        "{% if add_generation_prompt %}<s>assistant\n{% endif %}"
    )
    return made


def random_base(name: str, shape: Shape, device: torch.device) -> BaseModel:
    """A Llama of this shape with random weights in bf16, made where it will run."""
    torch.manual_seed(0)
    with torch.device(device):
        model = AutoModelForCausalLM.from_config(shape.config(), dtype=torch.bfloat16)
    model.eval().requires_grad_(False)
    return BaseModel(f"random-{name}", "0" * 64, model, tokenizer())


def rows(shape: Shape, vocabulary: int, answers: float, seed: int = 0) -> list[PackedRow]:
    """Full rows of random conversations of 1/16 to 1/2 of a row; `answers` of each is supervised."""
    chance, packed = random.Random(seed), []
    for _ in range(shape.rows):
        room, items = shape.sequence, []
        while room:
            length = min(room, chance.randrange(shape.sequence // 16, shape.sequence // 2))
            length = room if room - length < shape.sequence // 16 else length
            ids = tuple(chance.randrange(vocabulary) for _ in range(length))
            first = min(length - 1, max(1, round(length * (1 - answers))))
            items.append(Encoded(ids, tuple(range(first, length))))
            room -= length
        packed.append(pack(items))
    return packed
