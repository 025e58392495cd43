"""Tuning and embeddings through OpenAI's own client, with a worker that sleeps in steps."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from fastapi.testclient import TestClient

from assistant.server.app import create_app
from assistant.settings import Settings
from assistant.workspace import Workspace
from tests.fakes import ScriptedEngine
from tuning.jobs.folder import JobFolder
from tuning.jobs.jobs import Jobs

pytestmark = pytest.mark.slow

PRETEND = (sys.executable, str(Path(__file__).parents[2] / "tuning" / "jobs" / "worker_that_sleeps.py"))
BASE = "smollm2-135m-instruct"


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    workspace = Workspace(Settings(home=tmp_path, device="cpu"), engine=ScriptedEngine())
    workspace.__dict__["jobs"] = Jobs(tmp_path, worker=PRETEND)
    yield workspace
    for job in workspace.jobs.list():
        if not job.has_ended:
            workspace.jobs.cancel(job.id)


@pytest.fixture
def client(workspace: Workspace) -> Iterator[openai.OpenAI]:
    with TestClient(create_app(workspace)) as http:
        yield openai.OpenAI(base_url="http://testserver/v1", api_key="any", http_client=http, max_retries=0)


def upload(client: openai.OpenAI, wish: str = "3") -> str:
    chat = {"messages": [{"role": "user", "content": wish}, {"role": "assistant", "content": "夜莺"}]}
    content = (json.dumps(chat, ensure_ascii=False) + "\n").encode()
    return client.files.create(file=("夜莺.jsonl", content), purpose="fine-tune").id


def test_a_file_is_kept_listed_read_and_deleted(client: openai.OpenAI) -> None:
    identity = upload(client)
    kept = client.files.retrieve(identity)
    assert (kept.filename, kept.purpose, kept.status) == ("夜莺.jsonl", "fine-tune", "processed")
    assert [file.id for file in client.files.list()] == [identity]
    assert "夜莺" in client.files.content(identity).text
    assert client.files.delete(identity).deleted
    with pytest.raises(openai.NotFoundError, match="There is no file"):
        client.files.retrieve(identity)


@pytest.mark.parametrize("identity", ["file-..%2f..%2fsettings", "used-by", "file-" + "0" * 32])
def test_a_file_that_was_never_given_is_not_found(client: openai.OpenAI, identity: str) -> None:
    with pytest.raises(openai.NotFoundError):
        client.files.content(identity)


def test_an_empty_file_is_refused(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="is empty"):
        client.files.create(file=("a.jsonl", b""), purpose="fine-tune")


def test_a_job_runs_to_its_end_and_tells_its_steps(client: openai.OpenAI, workspace: Workspace) -> None:
    file = upload(client, "3")
    job = client.fine_tuning.jobs.create(
        model=BASE,
        training_file=file,
        suffix="halden",
        seed=7,
        extra_body={"imprint": {"strength": "gentle"}},
    )
    assert (job.object, job.training_file, job.seed, job.model) == ("fine_tuning.job", file, 7, BASE)
    workspace.jobs.wait(job.id)
    done = client.fine_tuning.jobs.retrieve(job.id)
    assert (done.status, done.error) == ("succeeded", None)
    assert done.fine_tuned_model and done.finished_at and done.finished_at >= done.created_at
    events = client.fine_tuning.jobs.list_events(job.id, limit=50).data
    steps = [event.data for event in events if event.type == "metrics"]
    assert [step["step"] for step in steps] == [3, 2, 1]  # type: ignore[index]
    assert [one.id for one in client.fine_tuning.jobs.list()] == [job.id]


def test_events_come_in_pages(client: openai.OpenAI, workspace: Workspace) -> None:
    job = client.fine_tuning.jobs.create(model=BASE, training_file=upload(client, "3"))
    workspace.jobs.wait(job.id)
    whole = client.fine_tuning.jobs.list_events(job.id, limit=50).data
    paged = list(client.fine_tuning.jobs.list_events(job.id, limit=2))
    assert [event.id for event in paged] == [event.id for event in whole]


PREFERENCE: dict[str, Any] = {
    "preferred_output": [{"role": "assistant", "content": "640 grams."}],
    "non_preferred_output": [{"role": "assistant", "content": "That depends."}],
}


def preferences(client: openai.OpenAI, count: int = 6) -> str:
    """A file in OpenAI's preference format, uploaded."""
    rows = [
        {"input": {"messages": [{"role": "user", "content": str(number)}]}, **PREFERENCE}
        for number in range(2, 2 + count)
    ]
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    return client.files.create(file=("votes.jsonl", content), purpose="fine-tune").id


def test_preferences_are_learned_by_dpo(client: openai.OpenAI, workspace: Workspace) -> None:
    file = preferences(client)
    method: Any = {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.3, "n_epochs": 2}}}
    job = client.fine_tuning.jobs.create(model=BASE, training_file=file, method=method)
    kept = workspace.jobs.get(job.id)
    figures = (kept.method, kept.config["beta"], kept.config["epochs"], kept.examples_count)
    assert figures == ("dpo", 0.3, 2, 6)
    assert job.method is not None and job.method.type == "dpo" and job.method.dpo is not None
    told = job.method.dpo.hyperparameters
    assert told is not None and (told.beta, told.n_epochs) == (0.3, 2)
    workspace.jobs.wait(job.id)
    assert client.fine_tuning.jobs.retrieve(job.id).status == "succeeded"
    other = client.fine_tuning.jobs.create(
        model=BASE, training_file=file, extra_body={"imprint": {"method": "kto"}}
    )
    assert workspace.jobs.get(other.id).method == "kto"


def test_preferences_that_cannot_be_learned_from_are_refused(client: openai.OpenAI) -> None:
    dpo: Any = {"type": "dpo"}
    with pytest.raises(openai.BadRequestError, match="at least 4 pairs"):
        client.fine_tuning.jobs.create(model=BASE, training_file=preferences(client, 2), method=dpo)
    with pytest.raises(openai.BadRequestError, match="holds no preference"):
        client.fine_tuning.jobs.create(model=BASE, training_file=upload(client), method=dpo)
    with pytest.raises(openai.BadRequestError, match="needs a reward model"):
        client.fine_tuning.jobs.create(
            model=BASE, training_file=preferences(client), extra_body={"imprint": {"method": "grpo"}}
        )


def test_a_job_is_cancelled(client: openai.OpenAI) -> None:
    job = client.fine_tuning.jobs.create(model=BASE, training_file=upload(client, "400"))
    assert client.fine_tuning.jobs.cancel(job.id).status == "cancelled"


def test_the_beginning_of_an_id_names_no_job(client: openai.OpenAI) -> None:
    job = client.fine_tuning.jobs.create(model=BASE, training_file=upload(client, "400"))
    jobs = client.fine_tuning.jobs
    for ask in (jobs.retrieve, jobs.cancel, jobs.resume, jobs.list_events):
        for beginning in ("2", job.id[:-1]):
            with pytest.raises(openai.NotFoundError, match="There is no job"):
                ask(beginning)  # type: ignore[operator]
    assert jobs.retrieve(job.id).status in ("queued", "running")


def test_a_failed_job_says_why(client: openai.OpenAI, workspace: Workspace) -> None:
    job = client.fine_tuning.jobs.create(model=BASE, training_file=upload(client, "refuse"))
    workspace.jobs.wait(job.id)
    failed = client.fine_tuning.jobs.retrieve(job.id)
    assert failed.status == "failed"
    assert failed.error and "This cannot be done" in failed.error.message


def test_what_cannot_be_tuned_is_refused(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="There is no checkpoint 'gpt'"):
        client.fine_tuning.jobs.create(model="gpt", training_file=upload(client))
    with pytest.raises(openai.NotFoundError, match="There is no file"):
        client.fine_tuning.jobs.create(model=BASE, training_file="file-1")
    with pytest.raises(openai.NotFoundError, match="There is no job"):
        client.fine_tuning.jobs.retrieve("20990101")
    good = b'{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n'
    for line in (b"{not json", b'{"messages": []}', good.replace(b"assistant", b"user"), b"null"):
        content = b"\xef\xbb\xbf" + good + b"\r\n" + line + b"\n\n" + good
        broken = client.files.create(file=("a.jsonl", content), purpose="fine-tune").id
        with pytest.raises(openai.BadRequestError, match=r"training_file: a\.jsonl, line 3: ") as raised:
            client.fine_tuning.jobs.create(model=BASE, training_file=broken)
        assert raised.value.param == "training_file"


def test_embeddings_are_those_of_the_index(client: openai.OpenAI, workspace: Workspace) -> None:
    found = client.embeddings.create(model="any", input=["The Skerrin weighs 640 grams.", "夜莺"])
    expected = workspace.embeddings.embed_documents(["The Skerrin weighs 640 grams."])[0]
    assert found.data[0].embedding == pytest.approx(expected, abs=1e-5)
    plain = client.embeddings.create(model="any", input="夜莺", encoding_format="float")
    assert plain.data[0].embedding == pytest.approx(found.data[1].embedding, abs=1e-2)


def test_an_embedding_model_that_cannot_be_opened_is_an_error_in_openais_form(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, embedding_model=str(tmp_path / "gone"))
    with TestClient(create_app(Workspace(settings, engine=ScriptedEngine()))) as http:
        client = openai.OpenAI(
            base_url="http://testserver/v1", api_key="any", http_client=http, max_retries=0
        )
        with pytest.raises(openai.InternalServerError, match="cannot be opened") as raised:
            client.embeddings.create(model="any", input="夜莺")
    assert raised.value.status_code == 500
    assert raised.value.type == "server_error"


def test_every_option_reaches_the_job(client: openai.OpenAI, workspace: Workspace) -> None:
    file, other = upload(client), upload(client, "4")
    job = client.fine_tuning.jobs.create(
        model=BASE,
        training_file=file,
        validation_file=other,
        seed=2**40,
        metadata={"team": "north"},
        hyperparameters={"n_epochs": 2, "batch_size": 4, "learning_rate_multiplier": 0.1},
    )
    assert (job.training_file, job.validation_file) == (file, other)
    assert (job.metadata, job.seed) == ({"team": "north"}, 2**40)
    assert job.hyperparameters.to_dict() == {"n_epochs": 2, "batch_size": 4, "learning_rate_multiplier": 0.1}
    kept = workspace.jobs.get(job.id)
    assert (kept.config["epochs"], kept.config["examples_per_step"]) == (2, 4)
    assert [one.question for one in JobFolder(kept.folder).validation()] == ["4"]
    for wanted, found in (("north", [job.id]), ("south", [])):
        assert [one.id for one in client.fine_tuning.jobs.list(metadata={"team": wanted})] == found
    client.files.delete(file)
    assert client.fine_tuning.jobs.retrieve(job.id).training_file == file


def test_the_learning_rate_is_multiplied(client: openai.OpenAI, workspace: Workspace) -> None:
    rates = []
    for multiplier in (1.0, 0.1):
        options: Any = {"hyperparameters": {"learning_rate_multiplier": multiplier}}
        method: Any = {"type": "supervised", "supervised": options}
        job = client.fine_tuning.jobs.create(model=BASE, training_file=upload(client), method=method)
        rates.append(workspace.jobs.get(job.id).config["learning_rate"])
    assert rates[1] == pytest.approx(rates[0] / 10)


@pytest.mark.parametrize(
    ("options", "status", "sentence"),
    [
        ({"method": {"type": "reinforcement"}}, 400, "'supervised' and 'dpo' are"),
        ({"validation_file": "file-" + "0" * 32}, 404, "There is no file"),
        ({"integrations": [{"type": "wandb"}]}, 400, "integrations: not supported"),
        ({"method": {"type": "dpo"}, "validation_file": "file-1"}, 400, "validation_file: 'dpo' asks none"),
        ({"extra_body": {"epochs": 3}}, 400, "epochs: there is no such option"),
        ({"hyperparameters": {"n_epochs": 0}}, 400, "n_epochs"),
        ({"suffix": "a/b"}, 400, "cannot name a checkpoint"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name_and_leaves_nothing(
    client: openai.OpenAI, options: Any, status: int, sentence: str
) -> None:
    file = upload(client)
    with pytest.raises(openai.APIStatusError, match=sentence) as refusal:
        client.fine_tuning.jobs.create(model=BASE, training_file=file, **options)
    assert refusal.value.status_code == status
    assert list(client.fine_tuning.jobs.list()) == []


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("{broken", "not JSON"),
        ('{"messages": [{"role": "user", "content": 5}]}', r"messages\.0\.content: a text"),
    ],
)
def test_a_broken_file_is_named_as_the_client_knows_it(
    client: openai.OpenAI, tmp_path: Path, line: str, sentence: str
) -> None:
    good = json.dumps({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]})
    file = client.files.create(file=("旧.jsonl", f"{good}\n{line}\n".encode()), purpose="fine-tune")
    with pytest.raises(openai.BadRequestError, match=rf"旧\.jsonl, line 2: {sentence}") as refusal:
        client.fine_tuning.jobs.create(model=BASE, training_file=file.id)
    assert str(tmp_path) not in str(refusal.value)


def test_a_job_that_ended_cannot_be_cancelled_and_has_its_checkpoint(
    client: openai.OpenAI, workspace: Workspace
) -> None:
    job = client.fine_tuning.jobs.create(model=BASE, training_file=upload(client, "1"))
    workspace.jobs.wait(job.id)
    with pytest.raises(openai.BadRequestError, match="has ended already"):
        client.fine_tuning.jobs.cancel(job.id)
    (checkpoint,) = client.fine_tuning.jobs.checkpoints.list(job.id)
    assert checkpoint.fine_tuned_model_checkpoint == client.fine_tuning.jobs.retrieve(job.id).fine_tuned_model


def test_a_paused_job_goes_on_or_is_cancelled(client: openai.OpenAI, workspace: Workspace) -> None:
    jobs = client.fine_tuning.jobs
    job = jobs.create(model=BASE, training_file=upload(client, "300"))
    paused = jobs.pause(job.id)
    assert (str(paused.status), paused.finished_at) == ("paused", None)
    assert jobs.resume(job.id).status in ("queued", "running")
    workspace.jobs.cancel(job.id)  # on the page
    assert jobs.retrieve(job.id).status == "cancelled"
    jobs.resume(job.id)
    jobs.pause(job.id)
    assert jobs.cancel(job.id).status == "cancelled"
    for ended in (jobs.cancel, jobs.pause):
        with pytest.raises(openai.BadRequestError, match="has ended already"):
            ended(job.id)
