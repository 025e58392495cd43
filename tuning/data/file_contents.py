"""What a person named as a chat file → the texts and tables in it: of a file, of an archive, of a data set's folder."""

from collections.abc import Iterator
from pathlib import Path

from tuning.data.columnar import columnar_records, is_columnar
from tuning.data.file_records import Record
from tuning.data.file_texts import texts
from tuning.errors import ExampleError

Content = str | list[Record]
MAX_FILES = 1000
_ENDINGS = {".parquet", ".arrow", ".json", ".jsonl", ".ndjson", ".csv", ".tsv"}
# What the `datasets` library and hubs keep beside the rows.
_ABOUT = {"dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json", "metadata.json"}


def contents(path: Path) -> list[tuple[Path, Content]]:
    """Each text or table with its name. Raises `ExampleError` where there is none, or one cannot be read."""
    if not path.is_dir():
        return list(_of_file(path))
    return [one for file in data_files(path) for one in _of_file(file)]


def _of_file(path: Path) -> Iterator[tuple[Path, Content]]:
    if is_columnar(path):
        yield path, columnar_records(path)
    else:
        yield from texts(path)


def data_files(folder: Path) -> list[Path]:
    """The files of a data set's folder; only those to train on, where it says which. Raises `ExampleError`."""
    files = [file for file in sorted(folder.rglob("*")) if _holds_rows(file, folder)]
    if not files:
        raise ExampleError(
            f"{folder} is a folder without chats: no file in it ends with {', '.join(sorted(_ENDINGS))}. "
            "Give the files themselves."
        )
    if len(files) > MAX_FILES:
        raise ExampleError(
            f"{folder} holds {len(files):,} files, and at most {MAX_FILES:,} are read. Split it."
        )
    return [file for file in files if _is_to_train(file.relative_to(folder))] or files


def set_aside(path: Path) -> list[Path]:
    """The files of a data set's folder that are not read, since it says that others are to train on."""
    if not path.is_dir():
        return []
    read = set(data_files(path))
    return [file for file in sorted(path.rglob("*")) if _holds_rows(file, path) and file not in read]


def _holds_rows(file: Path, folder: Path) -> bool:
    is_hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
    return file.suffix.lower() in _ENDINGS and file.name not in _ABOUT and not is_hidden and file.is_file()


def _is_to_train(path: Path) -> bool:
    return any(part.casefold().startswith("train") for part in path.parts)
