"""The site: every page is in its navigation, and every name of the reference is there."""

import re
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

import imprint

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def navigation() -> set[str]:
    settings: dict[str, Any] = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    return {page for entry in settings["nav"] for page in entry.values()}


def test_every_page_is_in_the_navigation() -> None:
    assert navigation() == {page.name for page in DOCS.glob("*.md")}


def test_the_reference_describes_every_public_name() -> None:
    said = re.findall(r"^::: ([\w.]+)$", (DOCS / "reference.md").read_text(encoding="utf-8"), re.MULTILINE)
    objects = []
    for path in said:
        module, _, name = path.rpartition(".")
        objects.append(getattr(import_module(module), name) if module else import_module(path))
    errors = {"AssistantError", "KnowledgeError", "TuningError", "Example"}  # told of in docs/python.md
    assert {getattr(imprint, name) for name in imprint.__all__ if name not in errors} <= set(objects)
    guide = (DOCS / "python.md").read_text(encoding="utf-8")
    assert all(error in guide for error in errors - {"Example"})


def test_the_badges_say_what_the_package_says() -> None:
    about = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    said = {"python": about["requires-python"].replace(">=", "") + " or newer", "license": about["license"]}
    for name, text in said.items():
        assert f">{text}</text>" in (ROOT / "docs" / "badges" / f"{name}.svg").read_text("utf-8")
        assert f"docs/badges/{name}.svg" in (ROOT / "README.md").read_text("utf-8")
