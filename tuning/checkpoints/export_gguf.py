"""Checkpoints for llama.cpp and what is built on it: whole models, adapters, Ollama folders."""

import re
import shutil
import tempfile
from pathlib import Path

from tuning.checkpoints.export_merged import merged, write_license
from tuning.checkpoints.export_peft import with_skills
from tuning.checkpoints.gguf_from_folder import header_of_folder, require_same_scale, write_from_folder
from tuning.checkpoints.gguf_writer import is_writable, write_model
from tuning.checkpoints.llama_converter import require_converter
from tuning.checkpoints.manifest import Checkpoint
from tuning.checkpoints.model_card import model_card
from tuning.errors import CheckpointError
from tuning.models.gguf_adapter import convert, gguf_adapter, is_prefix, why_not
from tuning.models.gguf_base import GgufBase
from tuning.models.gguf_header import GgufHeader
from tuning.models.packaged import PACKAGED, packaged_file
from tuning.models.published import license_of, license_text
from tuning.models.template import Template
from tuning.models.template_process import render_chat
from tuning.storage import write_text

MOST_CONTEXT = 8192  # tokens: Ollama takes the memory for all of it at once
CHATML = (
    "{{- range .Messages }}<|im_start|>{{ .Role }}\n{{ .Content }}<|im_end|>\n{{ end }}"
    "<|im_start|>assistant\n"
)


def write_f16(checkpoint: Checkpoint, home: Path, folder: Path) -> None:
    """One file in float16."""
    _write_whole(checkpoint, home, folder, "F16")
    _write_card(checkpoint, home, folder)


def write_q8_0(checkpoint: Checkpoint, home: Path, folder: Path) -> None:
    """One file in 8 bit, half as large."""
    _write_whole(checkpoint, home, folder, "Q8_0")
    _write_card(checkpoint, home, folder)


def write_q4_k_m(checkpoint: Checkpoint, home: Path, folder: Path) -> None:
    """One file in 4 bit, and more where llama.cpp gives more."""
    _write_whole(checkpoint, home, folder, "Q4_K_M")
    _write_card(checkpoint, home, folder)


def _write_whole(checkpoint: Checkpoint, home: Path, folder: Path, kind: str) -> None:
    write = write_model if is_writable(checkpoint.base, home) else write_from_folder
    if write is write_from_folder:
        require_converter()  # before the model is opened
        require_same_scale(checkpoint.base, home)
    base = merged(checkpoint, home)
    try:
        write(base, home, folder / f"{checkpoint.name}.gguf", title=checkpoint.name, kind=kind)
    finally:
        base.close()


def _write_card(checkpoint: Checkpoint, home: Path, folder: Path, options: str = "") -> None:
    use = f"```sh\nllama-server -m '{checkpoint.name}.gguf'\n```"
    write_text(folder / "README.md", model_card(checkpoint, home, "gguf", options or use))
    write_license(checkpoint, home, folder)


def write_lora(checkpoint: Checkpoint, home: Path, folder: Path) -> None:
    """The adapter alone, for `llama-server --lora`. Raises `CheckpointError` for what llama.cpp cannot add."""
    if is_prefix(checkpoint.path):
        raise _not_addable(checkpoint, "it is a prefix")
    base = GgufBase.find(checkpoint.base, home)
    if base is not None:
        _write_adapter(checkpoint, base.header, folder)
        file = _published(base).name
    else:
        with header_of_folder(checkpoint.base, home) as header:
            _write_adapter(checkpoint, header, folder)
        file = f"{checkpoint.base.rpartition('/')[2]}.gguf"
    use = f"```sh\nllama-server -m {file} --lora '{checkpoint.name}.gguf'\n```"
    _write_card(checkpoint, home, folder, use)


def _write_adapter(checkpoint: Checkpoint, header: GgufHeader, folder: Path) -> None:
    if problem := why_not(checkpoint.path, header.architecture):
        raise _not_addable(checkpoint, problem)
    name = f"{checkpoint.name}.gguf"
    if (whole := with_skills(checkpoint)) is not None:
        with tempfile.TemporaryDirectory() as temporary:
            whole.write(Path(temporary))
            convert(Path(temporary), folder / name, header)
    else:
        shutil.copyfile(gguf_adapter(checkpoint.path, checkpoint.sha256, header), folder / name)


def _not_addable(checkpoint: Checkpoint, problem: str) -> CheckpointError:
    return CheckpointError(
        f"llama.cpp cannot add {checkpoint.name!r} to a base: {problem}. Export it as 'gguf'."
    )


def _published(base: GgufBase) -> Path:
    """The file that others have of a base, and that an adapter of theirs goes with."""
    own = packaged_file(base.name) if base.name in PACKAGED else None
    return own or base.path


# -------------------------------------------------------------------- Ollama


def write_ollama(checkpoint: Checkpoint, home: Path, folder: Path) -> None:
    """The GGUF with a Modelfile: `ollama create NAME -f Modelfile` in the folder."""
    _write_whole(checkpoint, home, folder, "F16")
    write_license(checkpoint, home, folder)
    write_text(folder / "Modelfile", modelfile(checkpoint, Template.read(checkpoint.base, home), home))


def modelfile(checkpoint: Checkpoint, base: Template, home: Path) -> str:
    """Ollama's description of the model; the template where it is ChatML, as others are known to Ollama by the file."""
    stops = [base.tokenizer.convert_ids_to_tokens(i) for i in checkpoint.stop_ids or base.stop_ids]
    system = checkpoint.system_prompt or _default_system(base)
    lines = [f"FROM ./{checkpoint.name}.gguf"]
    if "<|im_start|>" in str(base.tokenizer.chat_template):
        lines.append(f'TEMPLATE """{CHATML}"""')
    if system:
        lines.append(f"SYSTEM {in_quotes(system)}")
    lines += [f'PARAMETER stop "{stop}"' for stop in stops]
    lines.append("PARAMETER temperature 0")
    lines.append(f"PARAMETER num_ctx {min(base.window, MOST_CONTEXT)}")
    if said := license_text(checkpoint.base, home) or license_of(checkpoint.base, home):
        lines.append(f"LICENSE {in_quotes(said)}")
    return "\n".join(lines) + "\n"


def in_quotes(text: str) -> str:
    """A value of a Modelfile. Ollama ends it where a line ends with three marks: only there they become others."""
    inner = re.sub(r'"""(?=\s*[\r\n])', "'''", text)
    return f'"""{inner}"""'


def _default_system(base: Template) -> str:
    """What the template itself puts in front where a conversation has no system prompt."""
    text = render_chat(base.name, base.tokenizer, [{"role": "user", "content": "q"}])
    begin, end = "<|im_start|>system\n", "<|im_end|>"
    return text.split(begin, 1)[1].split(end, 1)[0] if begin in text else ""
