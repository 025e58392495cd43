"""Parquet files and Arrow tables, as the `datasets` library keeps them → records. Other formats are read as text."""

from pathlib import Path
from typing import Any

from tuning.data.file_records import MAX_CELLS, Record, check_count
from tuning.errors import ExampleError

PARQUET, ARROW_FILE, ARROW_STREAM = b"PAR1", b"ARROW1", b"\xff\xff\xff\xff"
MAX_BYTES = 256 << 20  # of a file; what it unpacks to is bounded by the process that reads it


def is_columnar(path: Path) -> bool:
    """Whether a file begins as a Parquet or Arrow file does; one that cannot be read is none."""
    try:
        with path.open("rb") as file:
            return file.read(6).startswith((PARQUET, ARROW_FILE, ARROW_STREAM))
    except OSError:
        return False


def columnar_records(path: Path) -> list[Record]:
    """The rows, each under its number from 1. Raises `ExampleError` where it is damaged or too large."""
    try:
        import pyarrow  # an installation that only trains may lack it
    except ImportError as error:
        raise ExampleError(
            f"{path} is a Parquet or Arrow file, and reading those needs the package pyarrow: pip install pyarrow"
        ) from error
    if (size := path.stat().st_size) > MAX_BYTES:
        raise ExampleError(
            f"{path} has {size / 2**20:,.0f} MiB; at most {MAX_BYTES >> 20} MiB can be imported. Split it."
        )
    try:
        table = _table(path)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise ExampleError(f"{path} cannot be read as a table ({str(error).splitlines()[0]}).") from error
    check_count(table.num_rows, path)
    if table.num_rows * table.num_columns > MAX_CELLS:
        raise ExampleError(f"{path} has more than {MAX_CELLS:,} cells. Split it, or take out columns.")
    return [(number, _without_nothing(row)) for number, row in enumerate(table.to_pylist(), 1)]


def _table(path: Path) -> Any:
    import pyarrow as pa  # as above
    import pyarrow.parquet as pq

    with path.open("rb") as file:
        head = file.read(6)
    if head.startswith(PARQUET):
        return pq.ParquetFile(path, memory_map=False).read()
    with pa.OSFile(str(path)) as source:
        opened = pa.ipc.open_file(source) if head == ARROW_FILE else pa.ipc.open_stream(source)
        return opened.read_all()


def _without_nothing(value: Any) -> Any:
    """Without the keys of objects that have no value: a table gives every object the keys of all."""
    if isinstance(value, dict):
        return {key: _without_nothing(one) for key, one in value.items() if one is not None}
    return [_without_nothing(one) for one in value] if isinstance(value, list) else value
