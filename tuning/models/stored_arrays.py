"""Tensors of a safetensors file as numpy arrays in float32, without torch where that is possible."""

from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from tuning.errors import CheckpointError

Array = np.ndarray[Any, Any]


def read_arrays(path: Path) -> dict[str, Array]:
    """All tensors of the file. Raises CheckpointError where it is damaged."""
    try:
        with safe_open(path, "np") as file:
            names = list(file.keys())
            if all(file.get_slice(name).get_dtype() != "BF16" for name in names):
                return {name: file.get_tensor(name).astype(np.float32) for name in names}
        from safetensors.torch import load_file  # torch takes seconds to import, and numpy knows no bfloat16

        return {name: tensor.float().numpy() for name, tensor in load_file(path).items()}
    except (OSError, SafetensorError, ValueError, TypeError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}. Restore it from a backup.") from error
