"""Settings: environment over file over defaults, and errors that name the variable."""

import json
import logging
import os
from pathlib import Path

import pytest

from assistant.errors import SettingsError
from assistant.settings import Settings, default_home, from_environment, load_settings, save_settings
from tuning.config import DEFAULT_BASE, PLAIN_BASE
from tuning.models.packaged import PACKAGED


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and no other variable of the prefix."""
    for name in [name for name in os.environ if name.startswith("IMPRINT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("IMPRINT_HOME", str(tmp_path))
    return tmp_path


def test_environment_goes_over_the_file_and_the_file_over_defaults(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "settings.json").write_text(json.dumps({"port": 9000, "passages": 7}), encoding="utf-8")
    monkeypatch.setenv("IMPRINT_PORT", "9100")
    assert load_settings() == Settings(home=home, port=9100, passages=7)


def test_text_of_the_environment_becomes_the_type_of_its_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in {
        "PORT": " 80 ",
        "TEMPERATURE": "1",
        "ALLOW_PRIVATE_URLS": "yes",
        "ENGINE_MODEL": " big ",
        "KNOWLEDGE_BASE": "中文",
        "DEVICE": " ",
    }.items():
        monkeypatch.setenv(f"IMPRINT_{name}", text)
    settings = load_settings()
    assert (settings.port, settings.allow_private_urls, settings.engine_model) == (80, True, "big")
    assert (settings.knowledge_base, settings.device) == ("中文", None)
    assert type(settings.temperature) is float


def test_without_a_variable_the_home_is_the_folder_of_the_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPRINT_HOME", "")
    monkeypatch.setenv("XDG_DATA_HOME", "/nowhere/data")
    assert load_settings().home == default_home()
    monkeypatch.setenv("IMPRINT_HOME", "~/imprint")
    assert load_settings().home == Path.home() / "imprint"


def test_saving_one_setting_does_not_freeze_what_the_environment_said(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMPRINT_PORT", "9100")
    changed = save_settings(load_settings(), knowledge_base="中文", temperature=1)
    assert (changed.knowledge_base, changed.temperature, changed.port) == ("中文", 1.0, 9100)
    stored = json.loads((home / "settings.json").read_text(encoding="utf-8"))
    assert stored == {"knowledge_base": "中文", "temperature": 1.0}
    monkeypatch.delenv("IMPRINT_PORT")
    assert load_settings().port == 8501


def test_none_sets_a_key_back_to_its_default(home: Path) -> None:
    settings = save_settings(Settings(home=home), port=9000, device="cpu")
    assert save_settings(settings, port=None, device=None) == Settings(home=home)
    assert json.loads((home / "settings.json").read_text(encoding="utf-8")) == {}


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("PORT", "eighty", "it should be a valid integer, unable to parse string as an integer"),
        ("PORT", "70000", "it should be less than or equal to 65535"),
        ("TEMPERATURE", "hot", "it should be a valid number, unable to parse string as a number"),
        ("TEMPERATURE", "nan", "it should be a finite number"),
        ("MEMORY", "all", "it should be 'nothing', 'documents', 'checkpoint' or 'both'"),
        ("CHROMA_URL", "localhost:8000", "it should be a URL such as http://127.0.0.1:8000"),
        ("ALLOW_PRIVATE_URLS", "perhaps", "it should be a valid boolean, unable to interpret input"),
    ],
)
def test_a_bad_variable_is_named_with_its_value_and_its_default(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(f"IMPRINT_{variable}", value)
    default = Settings.model_fields[variable.lower()].default
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert str(refused.value) == f"IMPRINT_{variable} is {value!r}: {sentence}; the default is {default!r}."


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("{", "is not JSON.*Repair or delete it"),
        ("[]", "holds a list, not an object of settings"),
        ('{"port": "80"}', "\"port\" in .*settings.json is '80': it should be a valid integer; .* is 8501"),
        ('{"port": true}', '"port" in .* is True'),
        ('{"host": " "}', "\"host\" in .* is ' ': it should not be empty; the default is '127.0.0.1'"),
    ],
)
def test_a_broken_file_is_named(home: Path, text: str, match: str) -> None:
    (home / "settings.json").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=match):
        load_settings()


def test_unknown_keys_are_logged_and_kept(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = home / "settings.json"
    path.write_text('{"prot": 1}', encoding="utf-8")
    monkeypatch.setenv("IMPRINT_BASEMODEL", "x")
    with caplog.at_level(logging.WARNING):
        settings = load_settings()
    assert caplog.messages == [
        f"'prot' in {path} is not a setting; did you mean port?",
        "'IMPRINT_BASEMODEL' in the environment is not a setting; did you mean IMPRINT_BASE_MODEL?",
    ]
    save_settings(settings, port=9000)
    assert json.loads(path.read_text(encoding="utf-8")) == {"prot": 1, "port": 9000}


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"langauge": "zh"}, "did you mean language"),
        ({"passages": 99}, r'"passages" is 99: .*less than or equal to 50; the default is 4'),
        ({"home": "/elsewhere"}, "'home' in what was to be saved is not a setting"),
    ],
)
def test_a_change_that_cannot_be_used_is_not_saved(home: Path, change: dict[str, object], match: str) -> None:
    with pytest.raises(SettingsError, match=match):
        save_settings(Settings(home=home), **change)
    assert not (home / "settings.json").exists()


def test_a_home_that_is_a_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "file"
    home.write_text("", encoding="utf-8")
    monkeypatch.setenv("IMPRINT_HOME", str(home))
    with pytest.raises(SettingsError, match=r"IMPRINT_HOME is .*file', which is not a folder"):
        load_settings()


def test_settings_that_cannot_be_written_say_so(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.symlink_to(tmp_path / "gone" / "away")
    with pytest.raises(SettingsError, match=r"settings\.json cannot be written.*IMPRINT_HOME"):
        save_settings(Settings(home=home), port=9000)


def test_the_variables_that_fix_a_setting_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPRINT_PORT", "1")
    monkeypatch.setenv("IMPRINT_DEVICE", " ")
    assert from_environment() == {"port": "IMPRINT_PORT"}


def test_the_default_model_is_that_of_tuning(home: Path) -> None:
    assert Settings(home=home).base_model == DEFAULT_BASE


def test_a_token_is_long_and_never_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IMPRINT_HOME", str(tmp_path))
    monkeypatch.setenv("IMPRINT_TOKEN", "s3cr3t")
    with pytest.raises(SettingsError, match="IMPRINT_TOKEN is set, with 6 characters") as raised:
        load_settings()
    assert "s3cr3t" not in str(raised.value)
    monkeypatch.setenv("IMPRINT_TOKEN", "s3cr3t of more characters")
    settings = load_settings()
    assert settings.token == "s3cr3t of more characters" and "s3cr3t" not in repr(settings)


@pytest.mark.parametrize("names", ["imprint.example.org, other.example:8443", "[fd00::7]:80", ""])
def test_allowed_hosts_are_names_as_a_browser_shows_them(tmp_path: Path, names: str) -> None:
    assert Settings(home=tmp_path, allowed_hosts=names).allowed_hosts == names
    with pytest.raises(ValueError, match="names as a browser shows them"):
        Settings(home=tmp_path, allowed_hosts="https://imprint.example.org")


@pytest.mark.parametrize("text", ["{", "[1]", '{"messages": []}', "no"])
def test_template_options_are_an_object_that_takes_nothing_from_the_template(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMPRINT_TEMPLATE_OPTIONS", text)
    with pytest.raises(SettingsError, match=r"IMPRINT_TEMPLATE_OPTIONS is .*JSON object of options, such as"):
        load_settings()
    monkeypatch.setenv("IMPRINT_TEMPLATE_OPTIONS", '{"enable_thinking": false}')
    assert load_settings().template_options == '{"enable_thinking": false}'


def _checkpoint_of(home: Path, base: str, sha256: str) -> None:
    folder = home / "checkpoints" / sha256[:8]
    folder.mkdir(parents=True)
    (folder / "imprint.json").write_text(json.dumps({"base": base, "base_sha256": sha256}), encoding="utf-8")


def test_a_home_from_before_the_skills_keeps_the_model_of_its_checkpoints(home: Path) -> None:
    assert load_settings(home).base_model == DEFAULT_BASE
    _checkpoint_of(home, DEFAULT_BASE, PACKAGED[PLAIN_BASE].sha256)
    assert load_settings(home).base_model == PLAIN_BASE
    chosen = save_settings(load_settings(home), base_model=DEFAULT_BASE)
    assert chosen.base_model == load_settings(home).base_model == DEFAULT_BASE
    assert save_settings(chosen, base_model=None).base_model == load_settings(home).base_model == PLAIN_BASE
    _checkpoint_of(home, DEFAULT_BASE, PACKAGED[DEFAULT_BASE].identity)
    assert load_settings(home).base_model == DEFAULT_BASE
