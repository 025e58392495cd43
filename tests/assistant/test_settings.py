"""Settings: environment over file over defaults, and errors that name the variable."""

import json
from pathlib import Path

import pytest

from assistant.errors import SettingsError
from assistant.settings import FIELDS, Settings, from_environment, load_settings, save_settings


def test_environment_goes_over_the_file_and_the_file_over_defaults(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text(json.dumps({"port": 9000, "passages": 7}), encoding="utf-8")
    settings = load_settings({"IMPRINT_HOME": str(tmp_path), "IMPRINT_PORT": "9100"})
    assert (settings.port, settings.passages, settings.host) == (9100, 7, "127.0.0.1")
    assert settings.home == tmp_path


def test_saving_one_setting_does_not_freeze_what_the_environment_said(tmp_path: Path) -> None:
    settings = load_settings({"IMPRINT_HOME": str(tmp_path), "IMPRINT_PORT": "9100"})
    changed = save_settings(settings, knowledge_base="中文", temperature=1)
    assert (changed.knowledge_base, changed.temperature, changed.port) == ("中文", 1.0, 9100)
    stored = json.loads((tmp_path / "settings.json").read_text(encoding="utf-8"))
    assert stored == {"knowledge_base": "中文", "temperature": 1.0}
    assert load_settings({"IMPRINT_HOME": str(tmp_path)}).port == 8501


def test_none_sets_a_key_back_to_its_default(tmp_path: Path) -> None:
    settings = save_settings(Settings(tmp_path), port=9000, device="cpu")
    assert save_settings(settings, port=None, device=None) == Settings(tmp_path)
    assert json.loads((tmp_path / "settings.json").read_text(encoding="utf-8")) == {}


@pytest.mark.parametrize(
    ("variable", "value", "match"),
    [
        ("IMPRINT_PORT", "eighty", "IMPRINT_PORT is 'eighty', which is not a whole number"),
        ("IMPRINT_PORT", "70000", "IMPRINT_PORT: port is 70000; it must be between 1 and 65535"),
        ("IMPRINT_TEMPERATURE", "hot", "IMPRINT_TEMPERATURE is 'hot', which is not a number"),
        ("IMPRINT_MEMORY", "all", "choose one of nothing, documents, checkpoint, both"),
        ("IMPRINT_CHROMA_URL", "localhost:8000", "expected a URL such as http://"),
        ("IMPRINT_ALLOW_PRIVATE_URLS", "perhaps", "write true or false"),
        ("IMPRINT_TEMPERATURE", "nan", "must be between"),
    ],
)
def test_a_bad_variable_is_named_with_its_value(
    tmp_path: Path, variable: str, value: str, match: str
) -> None:
    with pytest.raises(SettingsError, match=match):
        load_settings({"IMPRINT_HOME": str(tmp_path), variable: value})


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("{", "is not JSON.*Repair or delete it"),
        ("[]", "not an object of settings"),
        ('{"port": "80"}', "\"port\" in .*settings.json is '80'; expected something like 8501"),
        ('{"port": true}', '"port" in .* is True'),
        ('{"host": " "}', "host is empty"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, text: str, match: str) -> None:
    (tmp_path / "settings.json").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=match):
        load_settings({"IMPRINT_HOME": str(tmp_path)})


def test_unknown_keys_are_reported_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"prot": 1}', encoding="utf-8")
    settings = load_settings({"IMPRINT_HOME": str(tmp_path), "IMPRINT_BASEMODEL": "x"})
    assert len(settings.unknown) == 2
    assert "did you mean port?" in settings.unknown[0]
    assert "did you mean IMPRINT_BASE_MODEL?" in settings.unknown[1]
    save_settings(settings, port=9000)
    assert json.loads(path.read_text(encoding="utf-8")) == {"prot": 1, "port": 9000}


def test_an_unknown_setting_cannot_be_saved(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="did you mean language"):
        save_settings(Settings(tmp_path), langauge="zh")
    assert not (tmp_path / "settings.json").exists()


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "file"
    home.write_text("", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"IMPRINT_HOME is .*file', which is not a folder"):
        load_settings({"IMPRINT_HOME": str(home)})


def test_settings_that_cannot_be_written_say_so(tmp_path: Path) -> None:
    home = tmp_path / "home"
    settings = Settings(home)
    tmp_path.joinpath("home").symlink_to(tmp_path / "gone" / "away")
    with pytest.raises(SettingsError, match=r"settings\.json cannot be written.*IMPRINT_HOME"):
        save_settings(settings, port=9000)


def test_what_the_environment_holds_is_told() -> None:
    assert from_environment({"IMPRINT_PORT": "1", "IMPRINT_DEVICE": " "}) == {"port": "IMPRINT_PORT"}


def test_defaults_name_the_packaged_models() -> None:
    from tuning.config import DEFAULT_BASE

    assert FIELDS["base_model"].default == DEFAULT_BASE
