"""Write a folder with documents of every kind and files of every harm: `… make_documents FOLDER`."""

import argparse
from pathlib import Path

from tests.knowledge.readers.samples import hostile, whole

HUGE = "two-gigabytes.txt"


def main() -> None:
    """FOLDER/whole must be read file by file, FOLDER/hostile must be refused file by file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    write(parser.parse_args().folder)


def write(folder: Path) -> None:
    """Make the two folders."""
    for kind, files in (("whole", whole()), ("hostile", hostile())):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (folder / kind / name).write_bytes(data)
    with (folder / "hostile" / HUGE).open("wb") as huge:
        huge.truncate(2 * 2**30)  # sparse: takes no room


if __name__ == "__main__":
    main()
