"""What is exported for llama.cpp answers there as the checkpoint does in torch."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from gguf import GGUFReader

from assistant.engines.llama_engine import LlamaEngine
from assistant.engines.llama_server import LlamaServer, ServerSettings
from tests.assistant.engines.test_llama_engine import (
    STORY,
    answer,
    default_base,
)
from tests.rounding import ROUNDING, largest_gap
from tests.saved_checkpoints import save_random
from tuning.checkpoints.export import export
from tuning.checkpoints.manifest import Checkpoint
from tuning.checkpoints.registry import Registry
from tuning.models.base_model import BaseModel
from tuning.models.gguf_base import GgufBase

NAME = "exported"
TOKENS = 12


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    return Registry(tmp_path_factory.mktemp("exports"))


@pytest.fixture(scope="module")
def checkpoint(base_model: BaseModel, registry: Registry) -> Iterator[Checkpoint]:
    saved = save_random(base_model, registry, NAME, "lora", scale=0.1)
    base_model.load_checkpoint(saved)
    yield saved
    base_model.unload(NAME)


def is_the_checkpoints(base: BaseModel, text: str) -> bool:
    """Whether each of its words is the checkpoint's choice, as near as rounding lets it, and not all are the base's."""
    gap = largest_gap(base, STORY, text, NAME)
    return gap < ROUNDING and gap < largest_gap(base, STORY, text)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["gguf", "gguf-q8_0"])
def test_a_whole_file_answers_as_the_checkpoint(
    form: str, checkpoint: Checkpoint, base_model: BaseModel, imprint_home: Path, tmp_path: Path
) -> None:
    export(checkpoint, form, tmp_path / "out", imprint_home)
    base = GgufBase.find(str(tmp_path / "out" / f"{NAME}.gguf"), tmp_path)
    assert base is not None and base.bits == {"gguf": 16, "gguf-q8_0": 8}[form]
    assert base.path.stat().st_size < {"gguf": 2.1, "gguf-q8_0": 1.2}[form] * 134_515_008
    engine = LlamaEngine(base, Registry(tmp_path))
    try:
        assert is_the_checkpoints(base_model, answer(engine, STORY, TOKENS))
    finally:
        engine.close()


@pytest.mark.slow
def test_a_file_of_4_bit_is_llama_cpps_own(
    checkpoint: Checkpoint, base_model: BaseModel, imprint_home: Path, tmp_path: Path
) -> None:
    """As large as one of `llama-quantize`, opened by llama.cpp, and nearer to the checkpoint than to its base."""
    (file,) = (
        one
        for one in export(checkpoint, "gguf-q4_k_m", tmp_path / "out", imprint_home)
        if one.suffix == ".gguf"
    )
    base = GgufBase.find(str(file), tmp_path)
    assert base is not None and base.bits == 4
    kinds = {one.name: one.tensor_type.name for one in GGUFReader(file).tensors}
    # Rows of 576 numbers cannot have K kinds, those of 1536 can; half of these matrices get more bits.
    assert kinds["token_embd.weight"] == "Q8_0" and kinds["blk.5.attn_q.weight"] == "Q5_0"
    down = [kind for name, kind in kinds.items() if name.endswith("ffn_down.weight")]
    assert set(down) == {"Q4_K", "Q6_K"} and down.count("Q6_K") == 14
    engine = LlamaEngine(base, Registry(tmp_path))
    try:
        text = answer(engine, STORY, TOKENS)
    finally:
        engine.close()
    assert largest_gap(base_model, STORY, text, NAME) < largest_gap(base_model, STORY, text)


@pytest.mark.slow
def test_an_adapter_answers_as_the_checkpoint(
    checkpoint: Checkpoint, base_model: BaseModel, imprint_home: Path, tmp_path: Path
) -> None:
    export(checkpoint, "gguf-lora", tmp_path / "out", imprint_home)
    adapter, model = str(tmp_path / "out" / f"{NAME}.gguf"), str(default_base(imprint_home).path)
    server = LlamaServer(NAME, ServerSettings(model, [adapter], 512, 1, 128, 1, 0))
    ids = base_model.chat_ids(STORY, add_generation_prompt=True)
    body = {"prompt": ids, "n_predict": TOKENS, "temperature": 0, "lora": [{"id": 0, "scale": 1.0}]}
    try:
        assert is_the_checkpoints(base_model, str(server.post("/completion", body)["content"]))
    finally:
        server.close()
