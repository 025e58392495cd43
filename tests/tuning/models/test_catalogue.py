"""The catalogue lists what is on this machine beside what is known, and recommends what this machine can bear."""

import json
from pathlib import Path

import pytest

from tests.tuning.gguf_files import tiny_llm, write_gguf
from tuning.models import catalogue, memory, speed
from tuning.models.catalogue import recommend
from tuning.models.known import KNOWN
from tuning.models.sources import ABOUT, hub_folder


def test_known_models_are_described_as_their_sizes_say() -> None:
    for model in KNOWN:
        shape = model.shape
        layer = shape.hidden * (2 * shape.hidden + 2 * shape.kv_width + 3 * shape.inner)
        table = shape.vocabulary * shape.hidden
        assert 0.7 < shape.layers * layer / (shape.parameters - shape.tables * table) < 1.2, model.name
        assert not model.gguf_bytes or 0.4 < model.gguf_bytes / shape.parameters < 1.2, model.name


def test_what_is_recommended_grows_with_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def best(free: float, cores: int) -> tuple[int, int]:
        monkeypatch.setattr(catalogue, "available_bytes", lambda: int(free))
        monkeypatch.setattr(memory, "available_memory", lambda: int(free))
        monkeypatch.setattr(speed, "cores", lambda: cores)
        found = recommend(catalogue.catalogue(tmp_path))
        for one in (found.chat, found.tune):
            assert one is None or (one.fits_chat and not one.is_gated)
        return (found.chat.parameters if found.chat else 0), (found.tune.parameters if found.tune else 0)

    assert best(0.5e9, 2) == (0, 0)
    small, middle, large = best(4e9, 2), best(24e9, 2), best(64e9, 16)
    assert 0 < small[0] <= middle[0] < large[0] and 0 <= small[1] <= middle[1] < large[1]


@pytest.mark.real
def test_models_on_this_machine_are_listed_and_damaged_ones_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, models = tmp_path / "home", tmp_path / "home" / "models"
    models.mkdir(parents=True)
    write_gguf(models / "mine.gguf", tiny_llm(), fields={"general.license": "mit"})
    (models / "bad.gguf").write_bytes(b"GGUF")
    small = next(model for model in KNOWN if model.gguf)
    assert next(one for one in catalogue.catalogue(home) if one.name == small.name).gguf == small.gguf
    for name in ("someone/tiny:Q8_0", small.gguf):
        fetched = hub_folder(name, home)
        fetched.mkdir(parents=True)
        (fetched / "tiny.gguf").write_bytes((models / "mine.gguf").read_bytes())
        (fetched / ABOUT).write_text(json.dumps({"name": name}))
    manifest = tmp_path / "ollama" / "manifests" / "registry.ollama.ai" / "library" / "own" / "1b"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(
        '{"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:ab"}]}'
    )
    (tmp_path / "ollama" / "blobs").mkdir()
    (tmp_path / "ollama" / "blobs" / "sha256-ab").write_bytes((models / "mine.gguf").read_bytes())
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "ollama"))
    found = {one.name: one for one in catalogue.catalogue(home)}
    mine = found[str(models / "mine.gguf")]
    assert (mine.title, mine.license, mine.at_hand, mine.window) == ("mine", "mit", True, 512)
    assert found["someone/tiny:Q8_0"].source == "hub" and found["ollama:own:1b"].source == "ollama"
    assert str(models / "bad.gguf") not in found
    assert found[small.gguf].at_hand and found[small.name].gguf == ""  # it is an entry of its own now
