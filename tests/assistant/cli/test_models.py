"""`imprint models`: what there is, what one needs, fetching one from a hub, and choosing one that opens."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.settings import Settings
from assistant.workspace import Workspace
from tests import hub as loopback
from tests.assistant.cli.invoke import Run, document, examples_file, running
from tests.fakes import ScriptedEngine
from tests.hub import Hub
from tests.tuning.gguf_files import tiny_llm, write_gguf
from tuning.models.sources import find_source

pytestmark = pytest.mark.real  # the vocabulary of the files is the packaged model's
NAME = "someone/tiny-GGUF:Q4_K_M"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gguf(
        tmp_path_factory.mktemp("served") / "tiny-Q4_K_M.gguf", tiny_llm(), fields={"general.license": "mit"}
    )


@pytest.fixture
def served(file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with loopback.serving() as hub:
        hub.models["someone/tiny-GGUF"] = file.parent
        loopback.use(hub, monkeypatch)
        yield hub


def test_the_list_says_what_fits_and_what_is_best_here(run: Run) -> None:
    found = document(run("models", "--json"))
    by_name = {one["name"]: one for one in found["models"]}
    assert found["in_use"] == "smollm2-135m-instruct" and by_name["smollm2-135m-instruct"]["at_hand"]
    large, small = by_name["Qwen/Qwen3.5-9B"], by_name["Qwen/Qwen2.5-0.5B-Instruct"]
    assert large["chat_bytes"] > 10 * small["chat_bytes"] and large["tune_bytes"] > 4 * small["tune_bytes"]
    chosen = [by_name[name] for name in found["recommended"].values() if name]
    assert all(one["fits_chat"] and not one["is_gated"] for one in chosen)
    assert "Apache-2.0 · chat 0.9 GB" in run("models").output


def test_a_model_is_looked_at_before_it_is_fetched(run: Run, served: Hub, home: Path) -> None:
    report = document(run("models", "check", NAME, "--json"))
    assert (report["architecture"], report["license"], report["is_here"]) == ("llama", "mit", False)
    assert report["download_bytes"] > 10**6 and not (home / "models").exists()
    told = run("models", "check", NAME).output
    assert "to chat: " in told and "to download: " in told


def test_nothing_is_fetched_without_a_yes(run: Run, served: Hub, home: Path) -> None:
    refused = run("models", "download", NAME, given="n\n")
    assert refused.exit_code == 1 and "not downloaded: that was not confirmed. With --yes" in refused.output
    assert find_source(NAME, home).path is None
    assert document(run("models", "download", NAME, "--yes", "--json")) == {"model": NAME, "status": "here"}
    assert find_source(NAME, home).gguf is not None
    asked = len(served.asked)
    assert run("models", "download", NAME).exit_code == 0 and len(served.asked) == asked


def test_a_download_that_broke_off_is_one_sentence_and_goes_on(
    run: Run, served: Hub, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tuning.models.download._PAUSE_SECONDS", 0.01)
    served.breaks_after = [10**9, 500_000, *[0] * 9]  # the first answer is the look at the header
    broken = run("models", "download", NAME, "--yes")
    assert broken.exit_code == 1 and "What was fetched is kept: start it again" in broken.output
    served.breaks_after = []
    again = document(run("models", "check", NAME, "--json"))
    assert 0 < again["download_bytes"] <= file_bytes(served) - 500_000
    assert run("models", "download", NAME, "--yes").exit_code == 0


def file_bytes(served: Hub) -> int:
    return (served.models["someone/tiny-GGUF"] / "tiny-Q4_K_M.gguf").stat().st_size


def test_a_model_is_chosen_once_it_is_open(file: Path, home: Path, tmp_path: Path) -> None:
    with running(Workspace(Settings(home=home, device="cpu"), engine=ScriptedEngine("640 grams"))) as run:
        assert document(run("models", "use", file, "--json"))["status"] == "chosen"
        kept = json.loads((home / "settings.json").read_text(encoding="utf-8"))
        assert kept["base_model"] == str(file)
        cut = tmp_path / "cut.gguf"
        cut.write_bytes(file.read_bytes()[:-100])
        refused = run("models", "use", cut)
        assert refused.exit_code == 1 and "is cut off" in refused.output
        assert json.loads((home / "settings.json").read_text(encoding="utf-8")) == kept


def test_a_model_that_the_environment_names_is_not_changed(
    run: Run, file: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMPRINT_BASE_MODEL", "smollm2-135m-instruct")
    refused = run("models", "use", file)
    assert refused.exit_code == 1 and "is set by IMPRINT_BASE_MODEL in the environment" in refused.output
    assert not (home / "settings.json").exists()


def test_a_file_that_can_only_chat_is_no_base_of_a_job(tuning: Run, file: Path, tmp_path: Path) -> None:
    odd = tmp_path / "odd.gguf"
    odd.write_bytes(file.read_bytes().replace(b"llama", b"novel"))
    refused = tuning("tune", "--examples", examples_file(tmp_path, "Hi?"), "--base", odd)
    assert refused.exit_code == 1 and "'novel', which cannot be converted from GGUF" in refused.output


def test_a_base_that_must_be_fetched_is_asked_for_before_a_job(
    tuning: Run, served: Hub, home: Path, tmp_path: Path
) -> None:
    file = examples_file(tmp_path, "我的项目叫什么名字？")
    refused = tuning("tune", "--examples", file, "--base", NAME, given="n\n")
    assert refused.exit_code == 1 and "was not downloaded" in refused.output
    missing = tuning("tune", "--examples", file, "--base", "someone/else", "--yes")
    assert missing.exit_code == 1 and "no model 'someone/else' on Hugging Face" in missing.output
    started = tuning("tune", "--examples", file, "--base", NAME, "--yes", "--no-wait", "--json")
    assert document(started)["status"] in ("queued", "running") and find_source(NAME, home).gguf is not None
