"""What a person may name as a model: found on this machine, or refused in one sentence that says what to do."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from tests.tuning.gguf_files import TEMPLATE, tiny_llm, write_gguf
from tuning.errors import ModelError
from tuning.models import ollama
from tuning.models.checks import check_model
from tuning.models.gguf_header import read_header
from tuning.models.sources import find_source

real = pytest.mark.real  # the vocabulary of the files is the packaged model's


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf", tiny_llm())


def header_of(path: Path, *fields: tuple[str, int, bytes], version: int = 3, tensors: int = 0) -> Path:
    """A GGUF file of a header alone."""
    body = b"".join(
        struct.pack("<Q", len(key)) + key.encode() + struct.pack("<I", kind) + value
        for key, kind, value in fields
    )
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", version, tensors, len(fields)) + body)
    return path


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


@real
def test_a_header_says_what_a_model_is(file: Path, tmp_path: Path) -> None:
    header = read_header(file)
    assert (header.architecture, header.number("block_count"), header.number("context_length")) == (
        "llama",
        2,
        512,
    )
    assert (
        header.parameters == sum(one.numel() for one in tiny_llm().parameters())
        and header.chat_template == TEMPLATE
    )
    report = check_model(str(file), tmp_path)
    assert (report.kind, report.architecture, report.window, report.is_here) == ("gguf", "llama", 512, True)
    assert report.fits_chat and report.fits_tune and report.convert_bytes > 2 * header.parameters


@real
@pytest.mark.parametrize("share", [0.999, 0.5, 0.01, 0.0001])
def test_a_file_that_is_cut_off_is_told_before_it_is_read(file: Path, tmp_path: Path, share: float) -> None:
    content = file.read_bytes()
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ModelError, match=r"cut off.*Download or copy it again\.$"):
        check_model(str(cut), tmp_path)


@real
def test_no_damaged_header_ends_in_anything_but_a_sentence(file: Path, tmp_path: Path) -> None:
    content, bad = bytearray(file.read_bytes()), tmp_path / "bad.gguf"
    for place in [*range(4, 400, 7), *range(2000, 120_000, 9973)]:
        damaged = bytearray(content)
        damaged[place : place + 4] = b"\xff\xff\xff\xff"
        bad.write_bytes(damaged)
        try:
            read_header(bad)
        except ModelError as error:
            assert str(bad) in str(error)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ([], "names no architecture, so it is no model"),
        ([("general.architecture", 8, text("clip"))], "the part of a model that sees pictures"),
        ([("general.architecture", 8, text("llama"))], "holds no language model: it names no layers"),
        (
            [("general.architecture", 8, text("llama")), ("general.type", 8, text("adapter"))],
            "is an adapter, not a model",
        ),
        (
            [("general.architecture", 8, text("llama")), ("split.count", 2, struct.pack("<H", 3))],
            "one of 3 parts",
        ),
    ],
)
def test_gguf_files_of_other_things_are_refused(fields: list[Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=words):
        read_header(header_of(tmp_path / "other.gguf", *fields))


def test_files_that_are_no_gguf_are_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.gguf").write_text("these are notes")
    with pytest.raises(ModelError, match="is no GGUF file: it does not begin as one"):
        read_header(tmp_path / "notes.gguf")
    with pytest.raises(ModelError, match="of version 1, and versions 2 and 3 can be read"):
        read_header(header_of(tmp_path / "old.gguf", version=1))


@real
def test_an_unknown_architecture_can_chat_and_says_why_it_cannot_be_tuned(file: Path, tmp_path: Path) -> None:
    odd = tmp_path / "odd.gguf"
    odd.write_bytes(file.read_bytes().replace(b"llama", b"novel"))
    report = check_model(str(odd), tmp_path)
    assert not report.fits_tune and "'novel', which cannot be converted from GGUF" in report.cannot_tune


@real
@pytest.mark.parametrize(
    ("template", "words"),
    [
        (None, "no chat template, so it cannot chat"),
        (
            "{% for _ in range(99999) %}{% for _ in range(99999) %}{% endfor %}{% endfor %}",
            "cannot be used: it does not end",
        ),
        ("{{ raise_exception('no roles here') }}", "cannot be used: no roles here"),
        ("{% for", "cannot be used: "),
    ],
)
def test_a_template_that_fails_is_found_before_the_model_is_opened(
    template: str | None, words: str, tmp_path: Path
) -> None:
    file = write_gguf(tmp_path / "tiny.gguf", tiny_llm(), template=template)
    with pytest.raises(ModelError, match=words):
        check_model(str(file), tmp_path)


def folder_of(path: Path, config: dict[str, Any], template: str | None = TEMPLATE) -> Path:
    path.mkdir()
    (path / "config.json").write_text(json.dumps(config))
    (path / "tokenizer_config.json").write_text(json.dumps({"chat_template": template}))
    tiny_llm().save_pretrained(path / "saved")
    (path / "saved" / "model.safetensors").rename(path / "model.safetensors")
    return path


SMALL = {
    "num_attention_heads": 4,
    "hidden_size": 256,
    "num_hidden_layers": 2,
    "vocab_size": 2000,
    "head_dim": 64,
}


def test_a_folder_is_looked_at_as_a_file_is(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "good", {"model_type": "llama", **SMALL, "max_position_embeddings": 512})
    (folder / "README.md").write_text("---\nlicense: mit\nlanguage: en\n---\n# A model\n")
    report = check_model(str(folder), tmp_path)
    assert (report.license, report.window, report.architecture) == ("mit", 512, "llama")
    assert report.parameters == sum(one.numel() for one in tiny_llm().parameters())


@pytest.mark.parametrize(
    ("config", "template", "words"),
    [
        (
            {"model_type": "novel", **SMALL},
            TEMPLATE,
            "architecture 'novel', which is not known to this transformers",
        ),
        ({"model_type": "vit", **SMALL}, TEMPLATE, "architecture 'vit', which is no model that writes text"),
        ({"model_type": "llama", **SMALL}, None, "no chat template"),
        ({"model_type": "llama", "hidden_size": 4}, TEMPLATE, "does not describe a language model"),
    ],
)
def test_a_folder_that_cannot_chat_is_refused(
    config: dict[str, Any], template: str | None, words: str, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=words):
        check_model(str(folder_of(tmp_path / "bad", config, template)), tmp_path)


def test_folders_without_weights_say_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match=r"has no \.safetensors weights in"):
        find_source(str(tmp_path), tmp_path)
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(
        ModelError, match=r"pickles alone \(pytorch_model\.bin\), which could run any program"
    ):
        find_source(str(tmp_path), tmp_path)
    for name in ("a.gguf", "b.gguf"):
        (tmp_path / name).write_bytes(b"GGUF")
    with pytest.raises(ModelError, match=r"holds 2 GGUF files\. Choose one: a\.gguf, b\.gguf"):
        find_source(str(tmp_path), tmp_path)
    for name in ("nothing", "", "~nobody/model", "x" * 5000, "a\0b", "../../no/such/folder"):
        with pytest.raises(ModelError, match=r"There is no model '.*no Hugging Face id"):
            find_source(name, tmp_path)


@pytest.fixture
def ollama_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as Ollama keeps it, with two models and one manifest that is damaged."""
    folder = tmp_path / "ollama"
    for path, digest in (("library/tiny/latest", "sha256:abc"), ("someone/other/1b", "sha256:missing")):
        manifest = folder / "manifests" / "registry.ollama.ai" / path
        manifest.parent.mkdir(parents=True)
        layers = [
            {"mediaType": "application/vnd.ollama.image.model", "digest": digest},
            {"mediaType": "application/vnd.ollama.image.license", "digest": "sha256:law"},
        ]
        manifest.write_text(json.dumps({"layers": layers}))
    (folder / "manifests" / "registry.ollama.ai" / "library" / "broken").write_text("{")
    (folder / "blobs").mkdir()
    (folder / "blobs" / "sha256-law").write_text("\nMIT License\n\nCopyright")
    monkeypatch.setenv("OLLAMA_MODELS", str(folder))
    return folder


@real
def test_a_model_of_ollama_is_its_file(ollama_folder: Path, file: Path, tmp_path: Path) -> None:
    (ollama_folder / "blobs" / "sha256-abc").write_bytes(file.read_bytes())
    assert [one.name for one in ollama.models()] == ["tiny:latest", "someone/other:1b"]
    source = find_source("ollama:tiny", tmp_path)
    assert source.gguf == ollama_folder / "blobs" / "sha256-abc"
    assert check_model("ollama:tiny:latest", tmp_path).license == "MIT License"


def test_a_model_that_ollama_does_not_have_is_said_with_those_it_has(
    ollama_folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(
        ModelError, match=r"no model 'big' on this machine\. It has: tiny:latest, someone/other:1b"
    ):
        find_source("ollama:big", tmp_path)
    with pytest.raises(ModelError, match=r"is not whole: .*sha256-missing is missing\. Fetch it again"):
        find_source("ollama:someone/other:1b", tmp_path)
