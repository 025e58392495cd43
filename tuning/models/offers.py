"""A model that a hub offers, looked at before it is fetched: its small files, or the beginning of its GGUF file."""

import tempfile
from pathlib import Path

from tuning.errors import ModelError
from tuning.models.checks import (
    ModelReport,
    check_config,
    check_model,
    license_of,
    make_report,
    report_of_gguf,
)
from tuning.models.download import fetched_bytes, read_beginning, read_small
from tuning.models.gguf_header import CutOffError, GgufHeader, read_header
from tuning.models.hub import HubFile, HubModel, look_up
from tuning.models.shape import read_config, shape_of_config
from tuning.models.sources import ModelSource, find_source

_BEGINNINGS = (8 * 2**20, 32 * 2**20, 128 * 2**20)  # bytes; the header of most files ends in the first


def look_at(name: str, home: Path) -> ModelReport:
    """What a model is and needs, wherever it lies. Raises ModelError where it can never be used, or is nowhere."""
    source = find_source(name, home)
    if source.path is not None or source.kind != "hub":
        return check_model(name, home)
    return look_at_offer(look_up(name), home)


def look_at_offer(model: HubModel, home: Path) -> ModelReport:
    """What a hub's model is and needs, before its weights are fetched. Raises ModelError."""
    source = ModelSource(model.name, "hub", None)
    download = model.size - fetched_bytes(model, home)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if model.gguf is not None:
            header = _header_of(model, model.gguf, folder / model.gguf.path)
            return report_of_gguf(source, header, home, size=model.gguf.size, download=download)
        read_small(model, folder)
        check_config(model.name, folder, home)
        parameters = model.parameters or _parameters_by_size(model)
        shape = shape_of_config(model.name, read_config(model.name, folder), parameters)
        return make_report(source, shape, model.license or license_of(folder), home, download=download)


def _header_of(model: HubModel, file: HubFile, path: Path) -> GgufHeader:
    for count in _BEGINNINGS:
        read_beginning(model, file, path, count)
        try:
            return read_header(path, file.size)
        except CutOffError:
            if count >= file.size:
                raise
    raise ModelError(f"The header of {file.path} of {model.name!r} has no end. Choose another file.")


def _parameters_by_size(model: HubModel) -> int:
    return sum(file.size for file in model.files if file.path.endswith(".safetensors")) // 2
