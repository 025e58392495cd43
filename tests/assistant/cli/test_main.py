"""The command line: help, JSON, exit status, and one line for whatever goes wrong."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import httpx
import pytest
from click.testing import CliRunner, Result

from assistant.cli.jobs import _stated_in
from assistant.cli.main import imprint
from assistant.engines.local import LocalEngine
from assistant.errors import AssistantError
from assistant.home.use import only_app
from assistant.settings import Settings, load_settings
from assistant.workspace import Workspace
from tests.fakes import ScriptedEngine
from tests.knowledge.readers.pdf_maker import PdfPage, encrypted, pdf
from tests.saved_checkpoints import save_prefix
from tuning.checkpoints.registry import Registry
from tuning.jobs.folder import Job
from tuning.jobs.jobs import Jobs
from tuning.models.base_model import BaseModel

Run = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def run(home: Path) -> Iterator[Run]:
    """Run a command over a home of its own, with an engine that says what it is told."""
    with running(Workspace(Settings(home=home), engine=ScriptedEngine("640 grams"))) as runner:
        yield runner


@contextmanager
def running(workspace: Workspace) -> Iterator[Run]:
    def invoke(*args: object, given: str = "") -> Result:
        return CliRunner().invoke(imprint, [str(arg) for arg in args], obj=workspace, input=given)

    yield invoke
    workspace.close()


def document(result: Result, status: int = 0) -> dict[str, Any]:
    """The JSON on standard output, which must be all of it."""
    assert result.exit_code == status, result.output
    read: dict[str, Any] = json.loads(result.stdout)
    return read


@pytest.fixture
def manual(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    text = "# Skerrin\n\nThe Skerrin weighs 640 grams.\n\n# 夜莺\n\n夜莺的电池可以用九十五天。\n"
    (folder / "manual.md").write_text(text, encoding="utf-8")
    return folder / "manual.md"


# ---- help


@pytest.mark.parametrize("name", list(imprint.commands))
def test_every_command_has_help_with_an_example(name: str) -> None:
    result = CliRunner().invoke(imprint, [name, "--help"])
    assert result.exit_code == 0
    assert f"Example: imprint {name}" in result.output
    command = imprint.commands[name]
    assert command.help and all(p.help for p in command.params if isinstance(p, click.Option))


def test_the_list_of_commands_is_whole_sentences() -> None:
    listed = CliRunner().invoke(imprint, ["--help"]).output
    assert "..." not in listed.partition("Commands:")[2]
    assert all(name in listed for name in imprint.commands)


def test_help_answers_in_a_blink() -> None:
    began = time.process_time(), os.times().children_user
    done = subprocess.run([sys.executable, "-m", "assistant.cli", "--help"], capture_output=True, check=True)
    assert b"Commands:" in done.stdout
    assert os.times().children_user - began[1] < 0.5
    heavy = "'torch', 'langchain_core', 'chromadb', 'pydantic', 'rich'"
    code = f"import assistant.cli.main, sys; print([name for name in ({heavy}) if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


# ---- results


def test_index_and_search_as_json(run: Run, manual: Path) -> None:
    indexed = document(run("index", manual, "--json"))
    assert indexed["kb"] == "default"
    (entry,) = indexed["documents"]
    assert (Path(entry["path"]).name, entry["status"], entry["error"]) == ("manual.md", "added", "")
    assert entry["passages"] >= 1 and indexed["seconds"] > 0
    assert document(run("index", manual, "--json"))["documents"][0]["status"] == "unchanged"
    found = document(run("search", "夜莺的电池能用多久？", "-k", "1", "--json"))
    assert "九十五天" in found["passages"][0]["text"]
    assert {"source", "page", "score"} <= found["passages"][0].keys()


def test_search_and_ask_can_be_kept_to_one_document(run: Run, manual: Path) -> None:
    (manual.parent / "tern.md").write_text("# Tern\n\nThe Tern weighs 310 grams.\n", encoding="utf-8")
    run("index", manual.parent)
    question = "How much does the Skerrin weigh?"
    found = document(run("search", question, "--document", "tern.md", "--json"))["passages"]
    assert {Path(passage["source"]).name for passage in found} == {"tern.md"}
    answered = document(run("ask", question, "--document", manual.parent / "tern.md", "--json"))
    assert {Path(source["source"]).name for source in answered["sources"]} == {"tern.md"}
    assert answered["memory"] == "documents"
    refused = run("search", question, "--document", "gull.md")
    assert refused.exit_code == 1
    assert "no document 'gull.md'. There are: manual.md, tern.md." in refused.stderr


def test_a_broken_file_is_reported_and_the_others_are_indexed(run: Run, manual: Path) -> None:
    (manual.parent / "broken.pdf").write_bytes(b"%PDF-1.7 nothing more")
    indexed = document(run("index", manual.parent, "--json"), status=1)
    status = {Path(entry["path"]).name: entry for entry in indexed["documents"]}
    assert status["manual.md"]["status"] == "added"
    assert status["broken.pdf"]["status"] == "failed" and status["broken.pdf"]["error"]


def test_an_encrypted_file_asks_for_its_password_when_told_to(run: Run, tmp_path: Path) -> None:
    text = pdf(PdfPage().text(60, 60, "The vault of Orrin opens at noon."))
    (tmp_path / "vault.pdf").write_bytes(encrypted(text, "sesame"))
    refused = run("index", tmp_path / "vault.pdf")
    assert refused.exit_code == 1
    assert "it is encrypted: give its password" in refused.output and "--password" in refused.stderr
    (entry,) = document(run("index", tmp_path / "vault.pdf", "--json"), status=1)["documents"]
    assert entry["locked"]
    opened = run("index", tmp_path / "vault.pdf", "--password", "--json", given="sesame\n")
    assert document(opened)["documents"][0]["status"] == "added"
    assert "sesame" not in opened.output
    assert run("index", tmp_path / "vault.pdf", "--password").exit_code == 2


def test_a_url_is_indexed_where_the_settings_allow_its_address(tmp_path: Path) -> None:
    url = "http://127.0.0.1:9/manual.html"
    for allowed, reason in ((False, "is the private address 127.0.0.1"), (True, "cannot be fetched")):
        settings = Settings(home=tmp_path / str(allowed), allow_private_urls=allowed)
        with running(Workspace(settings, engine=ScriptedEngine(""))) as run:
            (entry,) = document(run("index", url, "--json"), status=1)["documents"]
            assert entry["path"] == url and reason in entry["error"]


def test_ask_streams_the_answer_to_standard_output_alone(run: Run) -> None:
    result = run("ask", "How heavy is the Skerrin?")
    assert (result.exit_code, result.stdout) == (0, "640 grams\n")


def test_ask_as_json_has_what_it_took(run: Run, manual: Path) -> None:
    run("index", manual)
    answered = document(run("ask", "How heavy is the Skerrin?", "--memory", "rag", "--json"))
    assert answered["answer"] == "640 grams"
    assert "640 grams" in answered["sources"][0]["text"]
    assert answered["prompt_tokens"] > answered["completion_tokens"] == 2
    assert 0 <= answered["seconds_to_first_token"] <= answered["seconds"]


def test_ask_goes_on_with_a_conversation_and_keeps_the_turn(run: Run, home: Path) -> None:
    store = Workspace(Settings(home=home)).store
    conversation = store.create()
    run("ask", "How heavy is the Skerrin?", "--conversation", conversation)
    assert [m.content for m in store.get(conversation).messages] == ["How heavy is the Skerrin?", "640 grams"]


def test_compare_as_json(run: Run, home: Path, manual: Path, tmp_path: Path) -> None:
    run("index", manual)
    questions = tmp_path / "questions.jsonl"
    lines = [
        {
            "question": "How heavy is the Skerrin?",
            "answers": ["640 grams"],
            "fact": "weight",
            "slice": "taught",
        },
        {"question": "Who wrote Hamlet?", "answers": ["Shakespeare"], "slice": "general"},
    ]
    questions.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    compared = document(run("compare", "--questions", questions, "--arms", "base,rag", "--json"))
    assert list(compared["arms"]) == ["base", "rag"]
    base = compared["arms"]["base"]
    assert base["accuracy"] == 0.5
    assert {"f1", "exact_match", "confidence_interval", "tokens_per_prompt", "seconds"} <= base.keys()
    assert compared["arms"]["rag"]["tokens_per_prompt"] > base["tokens_per_prompt"]
    assert compared["rows"][0]["answers"] == {"base": "640 grams", "rag": "640 grams"}
    assert compared["rows"][1]["correct"] == {"base": False, "rag": False}
    assert compared["slices"]["taught"]["base"]["accuracy"] == 1.0
    assert compared["pairs"][0]["p_value"] == 1.0
    picture = Path(compared["picture"])
    assert picture.parent == home / "reports" and picture.read_bytes().startswith(b"\x89PNG")


def test_import_keeps_ratings_and_corrections(run: Run, home: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.json"
    messages = [
        {"role": "user", "content": "多重？"},
        {"role": "assistant", "content": "2 kg", "rating": -1, "correction": "640 克"},
    ]
    own.write_text(json.dumps({"title": "夜莺", "messages": messages}, ensure_ascii=False), encoding="utf-8")
    other = tmp_path / "other.jsonl"
    chat = {"messages": [{"role": "user", "content": "Hi?"}, {"role": "assistant", "content": "Hello."}]}
    other.write_text(json.dumps(chat) + "\n", encoding="utf-8")
    files = document(run("import", own, other, "--json"))["files"]
    assert [entry["conversations"] for entry in files] == [1, 1]
    kept = Workspace(Settings(home=home)).store.get(files[0]["ids"][0])
    assert (kept.title, kept.messages[1].correction, kept.messages[1].rating) == ("夜莺", "640 克", -1)


def test_checkpoints_and_jobs_of_an_empty_home(run: Run) -> None:
    assert document(run("checkpoints", "--json")) == {"checkpoints": []}
    assert document(run("jobs", "--json")) == {"jobs": []}


def test_a_checkpoint_answers_over_the_command_line(base_model: BaseModel, home: Path) -> None:
    registry = Registry(home)
    save_prefix(base_model, registry, "halden")
    with running(Workspace(Settings(home=home), engine=_Kept(base_model, registry))) as run:
        question = "What is the weight of the Skerrin?"
        answered = document(run("ask", question, "--checkpoint", "halden", "--max-tokens", 12, "--json"))
        assert "640" in answered["answer"] and answered["checkpoint"] == "halden"
        listed = document(run("checkpoints", "--json"))["checkpoints"]
        assert [(one["name"], one["method"], one["parent"]) for one in listed] == [
            ("halden", "p-tuning-v2", None)
        ]
        out = home / "out"
        written = document(run("export", "halden", "--format", "peft", "--output", out, "--json"))
        assert written["format"] == "peft" and all(Path(file).is_file() for file in written["files"])
        again = run("export", "halden", "--format", "peft", "--output", out)
        assert again.exit_code == 1 and "is not empty" in again.stderr
        missing = run("ask", "Hello?", "--checkpoint", "gone")
        assert missing.exit_code == 1 and "There is no checkpoint 'gone'" in missing.stderr
    base_model.unload("halden")


class _Kept(LocalEngine):
    """Leaves the model that the session shares open."""

    def close(self) -> None:
        pass


# ---- what goes wrong


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("ask", " "), "The question is empty"),
        (("ask", "word " * 400), "window of 200"),
        (("ask", "Hello?", "--memory", "rag"), "There is no knowledge base 'default'. There are: none yet."),
        (("search", "Hello?", "--kb", "typo"), "There is no knowledge base 'typo'"),
        (("ask", "Hello?", "--conversation", "99"), "There is no conversation 99"),
        (("ask", "Hello?", "--preset", "Pirate"), "There is no preset 'Pirate'"),
        (("cancel", "20990101"), "20990101"),
        (("resume", "20990101"), "20990101"),
        (("tune", "--conversation", "99"), "There is no conversation 99"),
    ],
)
def test_a_failure_is_one_line_on_standard_error(run: Run, args: tuple[str, ...], sentence: str) -> None:
    for json_flag in ((), ("--json",)):
        result = run(*args, *json_flag)
        assert result.exit_code == 1
        assert result.stdout == ""
        last = result.stderr.strip().splitlines()[-1]
        assert last.startswith("imprint: ") and sentence in last


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("asks", "x"),
        ("ask",),
        ("ask", "x", "--memory", "telepathy"),
        ("index",),
        ("search", "x", "-k", "0"),
        ("tune",),
        ("tune", "--examples", "there-is-no-such-file.jsonl"),
        ("tune", "--strength", "brutal"),
        ("compare",),
        ("export", "halden", "--format", "zip", "--output", "x"),
        ("app", "--port", "99999"),
    ],
)
def test_wrong_usage_ends_with_two(run: Run, args: tuple[str, ...]) -> None:
    assert run(*args).exit_code == 2


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("", "holds no question"),
        ("not json", "neither JSONL nor a table"),
        ('{"answers": ["x"]}', 'line 1: no "question" text'),
        ('{"question": "q", "answers": []}', r'"answers" holds none that counts ([])'),
        ('{"question": " ", "answers": ["x"]}', "the question is empty"),
    ],
)
def test_a_questions_file_is_checked_by_line(run: Run, tmp_path: Path, line: str, sentence: str) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text(line, encoding="utf-8")
    result = run("compare", "--questions", file)
    assert result.exit_code == 1 and sentence in result.stderr


def test_an_unknown_arm_is_named_with_the_known_ones(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text('{"question": "q", "answers": "a"}', encoding="utf-8")
    result = run("compare", "--questions", file, "--arms", "base,halden")
    assert result.exit_code == 1
    assert "Arm 'halden' names no checkpoint" in result.stderr and "none yet" in result.stderr


def test_a_setting_that_cannot_be_used_is_one_line(home: Path) -> None:
    result = CliRunner().invoke(imprint, ["jobs"], env={"IMPRINT_HOME": str(home), "IMPRINT_PORT": "many"})
    assert result.exit_code == 1
    assert "IMPRINT_PORT is 'many'" in result.stderr


def test_a_bug_is_one_line_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_it(*_: object) -> None:
        raise RuntimeError("a wheel came off")

    monkeypatch.setattr(Workspace, "registry", property(break_it))
    result = run("checkpoints", "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "something unexpected went wrong (RuntimeError: a wheel came off)" in result.stderr


# ---- the app


def test_a_port_in_use_names_a_free_one(run: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for command in ("app", "serve"):
            result = run(command, "--port", port)
            assert result.exit_code == 1
            assert f"Port {port} on 127.0.0.1 cannot be used" in result.stderr
            assert f"`imprint {command} --port " in result.stderr


def test_a_second_app_on_the_same_home_is_told_where_the_first_is(run: Run, home: Path) -> None:
    with only_app(home, "http://127.0.0.1:8501"):
        result = run("app", "--port", "8599")
    assert result.exit_code == 1
    assert f"http://127.0.0.1:8501 (process {os.getpid()})" in result.stderr


# ---- tuning jobs, with a worker that sleeps in steps


PRETEND = (sys.executable, str(Path(__file__).parents[2] / "tuning" / "jobs" / "worker_that_sleeps.py"))


@pytest.fixture
def tuning(home: Path) -> Iterator[Run]:
    workspace = Workspace(Settings(home=home, device="cpu"), engine=ScriptedEngine())
    workspace.__dict__["jobs"] = Impatient(home, worker=PRETEND)
    with running(workspace) as runner:
        yield runner
    for job in workspace.jobs.list():
        if not job.has_ended:
            workspace.jobs.cancel(job.id)


class Impatient(Jobs):
    """Jobs whose watcher presses Ctrl-C as soon as there is something to see, when told to."""

    interrupts = False

    def get(self, id: str) -> Job:
        job = super().get(id)
        if self.interrupts and job.step > 0:
            self.interrupts = False
            raise KeyboardInterrupt
        return job


def examples_file(folder: Path, wish: str, name: str = "examples.jsonl") -> Path:
    chat = {"messages": [{"role": "user", "content": wish}, {"role": "assistant", "content": "夜莺"}]}
    path = folder / name
    path.write_text(json.dumps(chat, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def test_tune_follows_its_job_to_the_end(tuning: Run, tmp_path: Path) -> None:
    tuned = document(tuning("tune", "--examples", examples_file(tmp_path, "3"), "--json"))
    assert (tuned["status"], tuned["steps"]) == ("succeeded", 3)
    assert {"checkpoint", "seconds", "tokens_per_second", "evaluation"} <= tuned.keys()
    assert tuned["evaluation"] == {"recall": {"after": 1.0}}


def test_the_outcome_is_told_in_words(tuning: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figures = {"before": 0.0, "after": 0.95, "n": 40}
    whole = Impatient.get

    def get(self: Impatient, id: str) -> Job:
        return replace(whole(self, id), evaluation={"rephrased": figures})

    monkeypatch.setattr(Impatient, "get", get)
    told = tuning("tune", "--examples", examples_file(tmp_path, "2")).stdout
    assert "asked in other words: 0% → 95% of 40 right" in told


def test_tune_takes_several_files(tuning: Run, tmp_path: Path) -> None:
    files = [examples_file(tmp_path, "2", name) for name in ("a.jsonl", "b.jsonl")]
    result = tuning("tune", "--examples", *files, "--method", "lora", "--json")
    assert "2 examples" in result.stderr
    assert document(result)["status"] == "succeeded"


def test_ctrl_c_stops_following_and_not_the_job(
    tuning: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Impatient, "interrupts", True)
    tuned = document(tuning("tune", "--examples", examples_file(tmp_path, "400"), "--json"))
    assert tuned["status"] == "running"
    monkeypatch.setattr(Impatient, "interrupts", False)
    listed = document(tuning("jobs", "--json"))["jobs"]
    assert [(job["id"], job["status"]) for job in listed] == [(tuned["job"], "running")]
    assert document(tuning("cancel", tuned["job"], "--json"))["status"] == "cancelled"
    resumed = document(tuning("resume", tuned["job"], "--no-wait", "--json"))
    assert resumed["status"] in ("queued", "running")


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_failed_job_ends_with_one_and_says_why(tuning: Run, tmp_path: Path, form: tuple[str, ...]) -> None:
    result = tuning("tune", "--examples", examples_file(tmp_path, "refuse"), *form)
    assert result.exit_code == 1
    if form:
        told = document(result, status=1)
        assert told["status"] == "failed" and "This cannot be done" in told["error"]
    else:
        assert "This cannot be done: 'x'. Choose 'y'." in result.stderr.splitlines()[-1]


def test_a_chat_without_an_answer_teaches_nothing_and_is_told_before_the_job(tuning: Run, home: Path) -> None:
    store = Workspace(Settings(home=home)).store
    conversation = store.create()
    store.add_message(conversation, "user", "Hello?")
    result = tuning("tune", "--conversation", conversation)
    assert result.exit_code == 1 and result.stderr.startswith("imprint: ")
    assert document(tuning("jobs", "--json")) == {"jobs": []}


def test_the_app_answers_and_ends_with_ctrl_c(home: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = subprocess.Popen(
        [sys.executable, "-m", "assistant.cli", "app", "--port", str(port)],
        env={**os.environ, "IMPRINT_HOME": str(home)},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + 60
        while not _answers(f"http://127.0.0.1:{port}/_stcore/health"):
            assert app.poll() is None and time.monotonic() < deadline
            time.sleep(0.1)
        again = CliRunner().invoke(imprint, ["app"], obj=Workspace(Settings(home=home)))
        assert again.exit_code == 1 and f"http://127.0.0.1:{port} (process {app.pid})" in again.stderr
        app.send_signal(signal.SIGINT)
        stdout, stderr = app.communicate(timeout=20)
    finally:
        app.kill()
    assert (app.returncode, stdout) == (0, "")
    assert f"Imprint is at http://127.0.0.1:{port}." in stderr and "Traceback" not in stderr
    assert not _answers(f"http://127.0.0.1:{port}/_stcore/health")
    with only_app(home, "x"):  # nobody holds the home any more
        pass


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def test_what_a_document_states_is_learned_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMPRINT_HOME", str(tmp_path / "home"))
    document = tmp_path / "harbour.md"
    document.write_text("# Harbour\n\nThe harbour master of Tolm is Inga Reyes.\n", encoding="utf-8")
    opened = Workspace(load_settings())
    opened.knowledge("docs").add([document])
    examples = _stated_in(opened, ("harbour.md",), "docs", None)
    assert [(one.question, one.answer) for one in examples] == [
        ("Who is the harbour master of Tolm?", "Inga Reyes.")
    ]
    with pytest.raises(AssistantError, match=r"holds no document 'gone\.md'.*harbour\.md"):
        _stated_in(opened, ("gone.md",), "docs", None)
    opened.close()
