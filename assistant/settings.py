"""Settings: the environment (IMPRINT_*) over `settings.json` in the Imprint home over defaults.

The only module that reads the environment. It opens no model and no index.
"""

import difflib
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import platformdirs

from assistant.errors import SettingsError
from assistant.storage import write_json

log = logging.getLogger(__name__)

PREFIX = "IMPRINT_"
# Read by the tests, never by the product.
_NOT_SETTINGS = {"IMPRINT_HOME", "IMPRINT_TEST_HOME"}
MEMORIES = ("nothing", "documents", "checkpoint", "both")
LANGUAGES = ("auto", "en", "zh")


@dataclass(frozen=True)
class Settings:
    """Everything a person may choose once for all pages and commands."""

    home: Path
    host: str = "127.0.0.1"
    port: int = 8501
    language: str = "auto"  # what the browser asks for, where the pages have it
    base_model: str = "smollm2-135m-instruct"
    # None picks cuda, then mps, then cpu.
    device: str | None = None
    embedding_model: str = "all-minilm-l6-v2"
    # A cross-encoder (a folder or a hub's name) that judges what retrieval found; None goes without.
    reranker: str | None = None
    # None keeps the index in a folder of the home; a URL names a Chroma server.
    chroma_url: str | None = None
    knowledge_base: str = "default"
    memory: str = "documents"
    passages: int = 4
    max_new_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    # An OpenAI-compatible endpoint, used only when one is named.
    engine_url: str | None = None
    engine_model: str | None = None
    engine_key: str | None = None
    # A URL to index may be on this machine or its private network.
    allow_private_urls: bool = False
    # Keys of the file and IMPRINT_ variables that mean nothing here, each with the likely intended name.
    unknown: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_settings(self)

    @property
    def conversations_path(self) -> Path:
        """The SQLite file of all conversations."""
        return self.home / "conversations.sqlite3"


FIELDS = {field.name: field for field in fields(Settings) if field.name not in ("home", "unknown")}


def default_home() -> Path:
    """The platform's user data folder for Imprint."""
    return Path(platformdirs.user_data_dir("imprint", appauthor=False))


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings of this process. Raises SettingsError naming the variable or file and the value."""
    environ = os.environ if environ is None else environ
    home = Path(environ.get("IMPRINT_HOME") or default_home()).expanduser().absolute()
    if home.exists() and not home.is_dir():
        raise SettingsError(f"IMPRINT_HOME is {str(home)!r}, which is not a folder. Choose or make one.")
    path = home / "settings.json"
    values: dict[str, Any] = {}
    unknown: list[str] = []
    for key, value in _read_file(path).items():
        if key in FIELDS:
            values[key] = _checked(key, value, f'"{key}" in {path}', home)
        else:
            unknown.append(_did_you_mean(key, list(FIELDS), str(path)))
    for variable, text in environ.items():
        if not variable.startswith(PREFIX) or variable in _NOT_SETTINGS:
            continue
        name = variable.removeprefix(PREFIX).lower()
        if name not in FIELDS:
            unknown.append(_did_you_mean(variable, [variable_of(key) for key in FIELDS], "the environment"))
        elif text.strip():
            values[name] = _checked(name, _from_text(name, text.strip(), variable), variable, home)
    for note in unknown:
        log.warning("%s", note)
    return Settings(home=home, unknown=tuple(unknown), **values)


def save_settings(settings: Settings, **changes: Any) -> Settings:
    """Write `changes` to the home's settings.json and return the settings with them in place.

    Only what is named changes, so a value that came from the environment is not frozen into the file;
    `None` sets a key back to its default. Keys that this version does not know stay in the file.
    """
    path = settings.home / "settings.json"
    stored = _read_file(path)
    applied: dict[str, Any] = {}
    for name, value in changes.items():
        if name not in FIELDS:
            raise SettingsError(_did_you_mean(name, list(FIELDS), "what was to be saved"))
        value = FIELDS[name].default if value is None else value
        applied[name] = _checked(name, value, f'"{name}"', settings.home)
        if applied[name] == FIELDS[name].default:
            stored.pop(name, None)
        else:
            stored[name] = applied[name]
    write_json(path, stored, SettingsError)
    return replace(settings, **applied)


def from_environment(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Names of the settings that the environment holds, each with its variable: not editable on a page."""
    environ = os.environ if environ is None else environ
    return {name: variable_of(name) for name in FIELDS if environ.get(variable_of(name), "").strip()}


def variable_of(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def _read_file(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as problem:
        raise SettingsError(f"{path} cannot be read: {problem}. Repair or delete it.") from problem
    try:
        value = json.loads(text)
    except json.JSONDecodeError as problem:
        raise SettingsError(f"{path} is not JSON: {problem}. Repair or delete it.") from problem
    if not isinstance(value, dict):
        raise SettingsError(
            f"{path} holds a {type(value).__name__}, not an object of settings. Repair or delete it."
        )
    return value


def _from_text(name: str, text: str, variable: str) -> Any:
    kind = FIELDS[name].type
    try:
        if kind is int:
            return int(text)
        if kind is float:
            return float(text)
    except ValueError:
        wanted = "a whole number" if kind is int else "a number"
        raise SettingsError(f"{variable} is {text!r}, which is not {wanted}.") from None
    if kind is bool:
        truths = {
            "1": True,
            "true": True,
            "yes": True,
            "on": True,
            "0": False,
            "false": False,
            "no": False,
            "off": False,
        }
        if text.lower() not in truths:
            raise SettingsError(f"{variable} is {text!r}; write true or false.")
        return truths[text.lower()]
    return text


def _checked(name: str, value: Any, origin: str, home: Path) -> Any:
    """The value, when a Settings with it alone would be valid; the error names where it came from."""
    kind, default = FIELDS[name].type, FIELDS[name].default
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    allowed: tuple[type, ...] = (kind,) if isinstance(kind, type) else (str, type(None))
    if not isinstance(value, allowed) or (isinstance(value, bool) and kind is not bool):
        raise SettingsError(f"{origin} is {value!r}; expected something like {default!r}.")
    tried: dict[str, Any] = {name: value}
    try:
        Settings(home=home, **tried)
    except SettingsError as problem:
        raise SettingsError(f"{origin}: {problem}") from None
    return value


def _check_settings(settings: Settings) -> None:
    _one_of("language", settings.language, LANGUAGES)
    _one_of("memory", settings.memory, MEMORIES)
    _between("port", settings.port, 1, 65535)
    _between("passages", settings.passages, 1, 50)
    _between("max_new_tokens", settings.max_new_tokens, 1, 100_000)
    _between("temperature", settings.temperature, 0.0, 2.0)
    _between("top_p", settings.top_p, 0.01, 1.0)
    for name in ("host", "base_model", "embedding_model", "knowledge_base"):
        if not getattr(settings, name).strip():
            raise SettingsError(f"{name} is empty; leave it out to get {FIELDS[name].default!r}.")
    for name in ("chroma_url", "engine_url"):
        url = getattr(settings, name)
        if url is not None and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname):
            raise SettingsError(f"{name} is {url!r}; expected a URL such as http://127.0.0.1:8000.")


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise SettingsError(f"{name} is {value!r}; choose one of {', '.join(allowed)}.")


def _between(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise SettingsError(f"{name} is {value!r}; it must be between {low} and {high}.")


def _did_you_mean(name: str, known: list[str], place: str) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}."
    return f"{name!r} in {place} is not a setting; {hint}"
