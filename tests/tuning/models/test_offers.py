"""A hub's model is looked at before its weights are fetched, and refused for what would fail later."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import hub as loopback
from tests.hub import Hub
from tests.tuning.gguf_files import TEMPLATE, tiny_llm, write_gguf
from tuning.errors import ModelError
from tuning.models import weights
from tuning.models.offers import look_at

NAME = "someone/tiny"
SMALL = {
    "model_type": "llama",
    "num_attention_heads": 4,
    "hidden_size": 256,
    "num_hidden_layers": 2,
    "vocab_size": 2000,
    "max_position_embeddings": 512,
}


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with one folder of weights, of which a test may change the small files."""
    folder = tmp_path / "served"
    tiny_llm().save_pretrained(folder)
    (folder / "tokenizer.json").write_text("{}")
    with loopback.serving() as hub:
        hub.models[NAME] = folder
        loopback.use(hub, monkeypatch)
        describe(hub)
        yield hub


def describe(hub: Hub, template: str | None = TEMPLATE, **changes: Any) -> None:
    folder = hub.models[NAME]
    (folder / "config.json").write_text(json.dumps({**SMALL, **changes}))
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"chat_template": template, "eos_token": "</s>"})
    )


def test_a_look_fetches_no_weights_and_leaves_nothing(served: Hub, tmp_path: Path) -> None:
    report = look_at(NAME, tmp_path / "home")
    assert (report.architecture, report.window, report.license, report.is_here) == (
        "llama",
        512,
        "apache-2.0",
        False,
    )
    size = (served.models[NAME] / "model.safetensors").stat().st_size
    assert report.download_bytes > size and report.parameters == size // 2
    asked = {path for path, _ in served.asked}
    assert "config.json" in asked and not asked & {"model.safetensors", "tokenizer.json"}
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model_type": "novel"}, "architecture 'novel', which is not known to this transformers"),
        ({"template": None}, "has no chat template, so it cannot chat"),
        ({"template": "{{ raise_exception('no') }}"}, "chat template of 'someone/tiny' cannot be used: no"),
        (
            {"quantization_config": {"quant_method": "gptq"}},
            r"kept in fewer bits \('gptq'\).*or a GGUF file of it",
        ),
        (
            {"auto_map": {"AutoConfig": "code.Config"}, "model_type": "own"},
            r"needs code of its own \('code\.Config'\)",
        ),
    ],
)
def test_what_would_fail_later_is_refused_at_once(
    served: Hub, tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    describe(served, **changes)
    with pytest.raises(ModelError, match=words):
        look_at(NAME, tmp_path / "home")
    assert "model.safetensors" not in {path for path, _ in served.asked}


@pytest.mark.real
def test_of_a_gguf_file_the_beginning_is_enough(
    served: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tuning.models.offers._BEGINNINGS", (1000, 200_000))
    for path in served.models[NAME].iterdir():
        path.unlink()
    file = write_gguf(served.models[NAME] / "tiny-Q8_0.gguf", tiny_llm(), fields={"general.license": "mit"})
    report = look_at(NAME, tmp_path / "home")
    assert (report.license, report.window) == ("mit", 512) and report.download_bytes == file.stat().st_size
    first, *further = (asked for _, asked in served.asked)  # as many pieces as the header's end takes
    assert first == "" and all(asked.startswith("bytes=") for asked in further)
    file.write_bytes(file.read_bytes()[:100_000] + bytes(10))
    with pytest.raises(ModelError, match=r"cut off"):
        look_at(NAME, tmp_path / "home")


def test_a_model_that_was_never_fetched_says_how_to(tmp_path: Path) -> None:
    with pytest.raises(
        ModelError, match=r"'someone/else' is not on this machine\. Fetch it with `imprint models down"
    ):
        weights.locate("someone/else", tmp_path, lambda source, target: None)
