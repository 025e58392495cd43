"""The sizes of a model by its name, from whatever is at hand: the list, a folder, a header. It opens no weights."""

from functools import lru_cache
from pathlib import Path

from tuning.errors import ModelError
from tuning.models.gguf_header import read_header
from tuning.models.known import KNOWN
from tuning.models.shape import ModelShape, shape_of_folder, shape_of_gguf
from tuning.models.sources import find_source
from tuning.models.weights import converted_folder

_LISTED = {model.name: model.shape for model in KNOWN}


def shape_of(name: str, home: Path) -> ModelShape:
    """The sizes of a model. Raises ModelError where it is in no list and not on this machine."""
    return _LISTED.get(name) or _shape_here(name, home)


def weights_folder(name: str, home: Path) -> Path | None:
    """The folder of safetensors that is opened to tune a model; None while it must be fetched or converted."""
    try:
        source = find_source(name, home)
    except ModelError:
        return None
    if source.path is not None and source.path.is_dir():
        return source.path
    return converted_folder(source, home)


@lru_cache(maxsize=8)
def _shape_here(name: str, home: Path) -> ModelShape:
    source = find_source(name, home)
    if source.gguf is not None:
        return shape_of_gguf(read_header(source.gguf))
    if source.path is None:
        raise ModelError(f"The model {name!r} is not on this machine, so its size is not known.")
    return shape_of_folder(name, source.path)
