"""Settings: the environment (IMPRINT_*) over `settings.json` in the Imprint home over defaults.

The only module that reads the environment. It opens no model and no index.
"""

import difflib
import json
import logging
import os
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from assistant.default_model import default_base
from assistant.errors import SettingsError
from assistant.setting_types import HostNames, JsonObject, Name, Token, Url
from assistant.storage import write_json
from tuning.config import DEFAULT_BASE

log = logging.getLogger(__name__)

PREFIX = "IMPRINT_"
# Variables with the prefix that are read, but set nothing that could be saved.
_NOT_SETTINGS = {"IMPRINT_HOME", "IMPRINT_TEST_HOME", "IMPRINT_ALLOWED_MODEL_CODE"}
# Settings whose values no message may show.
_SECRETS = {"token", "engine_key", "fine_tuning_key"}
Memory = Literal["nothing", "documents", "checkpoint", "both"]
MEMORIES: tuple[Memory, ...] = get_args(Memory)
Language = Literal["auto", "en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
EngineChoice = Literal["auto", "llama.cpp", "torch"]
ENGINES: tuple[EngineChoice, ...] = get_args(EngineChoice)
LearnNotes = Literal["off", "idle", "daily"]
LEARN_NOTES: tuple[LearnNotes, ...] = get_args(LearnNotes)

# As tuning.models.capability has them; "auto" leaves it to the size of the model.
ModelCapability = Literal["auto", "small", "capable", "strong"]
MODEL_CAPABILITIES: tuple[ModelCapability, ...] = get_args(ModelCapability)


def default_home() -> Path:
    """The platform's user data folder for Imprint."""
    return Path(platformdirs.user_data_dir("imprint", appauthor=False))


class Settings(BaseModel):
    """Everything a person may choose once for all pages and commands."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

    home: Path
    host: Name = "127.0.0.1"
    port: int = Field(default=8501, ge=1, le=65535)
    # What a browser or a program has to show; needed where `host` is not this machine alone.
    token: Token | None = Field(default=None, repr=False)
    # Under which names a reverse proxy publishes the app or the server, with commas between.
    allowed_hosts: HostNames = ""
    # MiB that one uploaded file may have.
    max_upload_mb: int = Field(default=200, ge=1, le=100_000)
    language: Language = "auto"  # what the browser asks for, where the pages have it
    base_model: Name = DEFAULT_BASE
    # None picks cuda, then mps, then cpu.
    device: str | None = None
    # What computes answers on this machine; auto takes llama.cpp where there is no GPU and the model is one GGUF file.
    engine: EngineChoice = "auto"
    embedding_model: Name = "all-minilm-l6-v2"
    # A cross-encoder (a folder or a hub's name) that reranks the retrieved passages; None goes without.
    reranker: str | None = None
    # None keeps the index in a folder of the home; a URL names a Chroma server.
    chroma_url: Url | None = None
    knowledge_base: Name = "default"
    memory: Memory = "documents"
    # What the model can be asked for: auto goes by its size.
    capability: ModelCapability = "auto"
    # Options for the model's chat template, as JSON; they may turn a model's thinking on or off.
    template_options: JsonObject = ""
    passages: int = Field(default=4, ge=1, le=50)
    max_new_tokens: int = Field(default=256, ge=1, le=100_000)
    temperature: float = Field(default=0.0, ge=0, le=2)
    top_p: float = Field(default=1.0, ge=0.01, le=1)
    # An OpenAI-compatible endpoint, used only when one is named.
    engine_url: Url | None = None
    engine_model: str | None = None
    engine_key: str | None = Field(default=None, repr=False)
    # A service that speaks OpenAI's fine-tuning API, for the method openai; without it, that of the endpoint.
    fine_tuning_url: Url | None = None
    fine_tuning_model: str | None = None
    fine_tuning_key: str | None = Field(default=None, repr=False)
    # Whether notes are taught to a checkpoint by themselves: where nobody chats and the machine is idle, or once a day.
    learn_notes: LearnNotes = "off"
    learn_notes_idle_minutes: int = Field(default=30, ge=5, le=1440)
    learn_notes_hour: int = Field(default=3, ge=0, le=23)
    # Whether the tour of the pages was taken or declined; it is offered once.
    tour_seen: bool = False
    # Whether a URL to index may be on this machine or its private network.
    allow_private_urls: bool = False

    @property
    def conversations_path(self) -> Path:
        """The SQLite file of all conversations."""
        return self.home / "conversations.sqlite3"


NAMES = tuple(name for name in Settings.model_fields if name != "home")


class _Environment(BaseSettings, Settings):
    """The settings that the environment holds; texts become the types of their fields, blank ones are unset."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, strict=False, str_strip_whitespace=True)

    home: Path = Field(default_factory=default_home)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment alone."""
        return (env_settings,)

    @model_validator(mode="before")
    @classmethod
    def _unset_blank(cls, values: dict[str, str]) -> dict[str, str]:
        return {name: text for name, text in values.items() if text.strip()}


def home_folder() -> Path:
    """The home that the environment names, or the platform's; nothing else of the settings is looked at."""
    named = os.environ.get("IMPRINT_HOME", "").strip()
    return (Path(named) if named else default_home()).expanduser().absolute()


def load_settings(folder: Path | None = None) -> Settings:
    """The settings of this process; `folder` is the home where it is not the environment's.

    Raises SettingsError naming the variable or file, and the value.
    """
    try:
        environment = _Environment()
    except ValidationError as problem:
        raise SettingsError(_sentence(problem, variable_of(_name(problem)))) from None
    home = (folder or environment.home).expanduser().absolute()
    if home.exists() and not home.is_dir():
        named = "IMPRINT_HOME" if folder is None else "The home"
        raise SettingsError(f"{named} is {str(home)!r}, which is not a folder. Choose or make one.")
    path = home / "settings.json"
    stored = _read_file(path)
    for key in sorted(stored.keys() - set(NAMES)):
        log.warning("%s", _did_you_mean(key, NAMES, str(path)))
    variables = [variable_of(name) for name in NAMES]
    for variable in sorted(os.environ.keys() - {*variables, *_NOT_SETTINGS}):
        if variable.startswith(PREFIX):
            log.warning("%s", _did_you_mean(variable, variables, "the environment"))
    known = {name: value for name, value in stored.items() if name in NAMES}
    from_file = _checked(home, known, f'"{{name}}" in {path}')
    fixed = {name: getattr(environment, name) for name in from_environment()}
    if "base_model" not in {**known, **fixed}:
        fixed["base_model"] = default_base(home)
    return Settings(home=home, **{**from_file, **fixed})


def save_settings(settings: Settings, **changes: Any) -> Settings:
    """Write `changes` to the home's settings.json and return the settings with them in place.

    Only what is named changes, so a value that came from the environment is not frozen into the file;
    `None` sets a key back to its default. Keys that this version does not know stay in the file.
    """
    for name in changes:
        if name not in NAMES:
            raise SettingsError(_did_you_mean(name, NAMES, "what was to be saved"))
    path = settings.home / "settings.json"
    stored = _read_file(path)
    defaults = {name: _default(name) for name in changes} | {"base_model": default_base(settings.home)}
    given = {name: defaults[name] if value is None else value for name, value in changes.items()}
    checked = _checked(settings.home, given, '"{name}"')
    for name, value in checked.items():
        if changes[name] is None or (value == _default(name) and name != "base_model"):
            stored.pop(name, None)  # a chosen model stays chosen, whatever the default becomes
        else:
            stored[name] = value
    write_json(path, stored, SettingsError)
    return settings.model_copy(update=checked)


def from_environment() -> dict[str, str]:
    """Names of the settings that the environment holds, each with its variable: not editable on a page."""
    return {name: variable_of(name) for name in NAMES if os.environ.get(variable_of(name), "").strip()}


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
    except ValueError as problem:
        raise SettingsError(f"{path} is not JSON: {problem}. Repair or delete it.") from problem
    except RecursionError as problem:
        raise SettingsError(f"{path} is nested too deeply to be settings. Repair or delete it.") from problem
    if not isinstance(value, dict):
        raise SettingsError(
            f"{path} holds a {type(value).__name__}, not an object of settings. Repair or delete it."
        )
    return value


def _checked(home: Path, values: dict[str, Any], origin: str) -> dict[str, Any]:
    """The values as settings have them; `origin` says in the error where `{name}` came from."""
    try:
        settings = Settings(home=home, **values)
    except ValidationError as problem:
        raise SettingsError(_sentence(problem, origin.format(name=_name(problem)))) from None
    return {name: getattr(settings, name) for name in values}


def _default(name: str) -> Any:
    return Settings.model_fields[name].default


def _name(problem: ValidationError) -> str:
    return str(problem.errors()[0]["loc"][0])


def _sentence(problem: ValidationError, origin: str) -> str:
    first = problem.errors()[0]
    wanted = first["msg"].replace("Input should be", "it should be")
    hint = "" if _name(problem) == "home" else f"; the default is {_default(_name(problem))!r}"
    value = (
        f"set, with {len(str(first['input']))} characters"
        if _name(problem) in _SECRETS
        else _shown(first["input"])
    )
    return f"{origin} is {value}: {wanted}{hint}."


def _shown(value: object) -> str:
    """The beginning of a value, for messages."""
    try:
        return textwrap.shorten(repr(value), 200, placeholder="…")
    except RecursionError:
        return "a deeply nested value"


def _did_you_mean(name: str, known: Sequence[str], place: str) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}."
    return f"{name!r} in {place} is not a setting; {hint}"
