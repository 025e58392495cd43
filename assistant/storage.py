"""Files that appear whole or not at all."""

import json
import tempfile
from pathlib import Path


def write_json(path: Path, value: object, error: type[Exception]) -> None:
    """Write JSON so that the file appears whole or not at all; readable by its owner alone."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            temporary = Path(file.name)
            json.dump(value, file, ensure_ascii=False, indent=2)
            file.write("\n")
        temporary.replace(path)
    except OSError as problem:
        raise error(
            f"{path} cannot be written: {problem.strerror or problem}. Free some space or choose "
            "another folder with IMPRINT_HOME."
        ) from problem
