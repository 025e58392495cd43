"""Several processes on one folder: one has it open, the others reach the vectors through it, and take over."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import httpx
import numpy as np
import pytest
from filelock import FileLock
from langchain_core.embeddings import DeterministicFakeEmbedding

from knowledge.base.knowledge_base import KnowledgeBase
from knowledge.errors import IndexBusyError, StoreError
from knowledge.index import shared_chroma
from knowledge.index.shared_chroma import SharedChroma
from knowledge.index.vector_service import OPERATIONS, Holder, LinkedVectors, VectorLink, VectorService
from tests.knowledge.bases import add_upload, agrees

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]  # where a process of a test finds the packages
FAKE = DeterministicFakeEmbedding(size=8)
# Opens the knowledge base and does what each line of its standard input says.
OTHER = """
import sys
from pathlib import Path
from langchain_core.embeddings import DeterministicFakeEmbedding
from knowledge.base.knowledge_base import KnowledgeBase
from tests.knowledge.bases import add_upload, agrees
base = KnowledgeBase(Path(sys.argv[1]), embeddings=DeterministicFakeEmbedding(size=8))
print("open", flush=True)
for line in sys.stdin:
    word, _, text = line.strip().partition(" ")
    if word == "add":
        print(add_upload(base, text.split()[0] + ".txt", text.encode()).status, flush=True)
    elif word == "search":
        print(base.search(text, min_relevance=0)[0].passage.text, flush=True)
    elif word == "rebuild":
        base.rebuild()
        print("done", flush=True)
    elif word == "agrees":
        print(agrees(base), flush=True)
base.close()
print("closed", flush=True)
"""


class Other:
    """Another process with the knowledge base open."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def hears(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def __call__(self, line: str) -> str:
        assert self.process.stdin
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.hears()


@contextmanager
def other(home: Path) -> Iterator[Other]:
    command = [sys.executable, "-c", OTHER, str(home)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        try:
            one = Other(process)
            assert one.hears() == "open"
            yield one
        finally:
            process.kill()


@pytest.mark.parametrize("first", ["this", "other"])
def test_two_processes_add_and_find_whoever_was_first(tmp_path: Path, first: str) -> None:
    if first == "this":
        with KnowledgeBase(tmp_path, embeddings=FAKE) as base, other(tmp_path) as process:
            _add_and_find(base, process)
    else:
        with other(tmp_path) as process, KnowledgeBase(tmp_path, embeddings=FAKE) as base:
            _add_and_find(base, process)


def _add_and_find(base: KnowledgeBase, process: Other) -> None:
    assert process("add The mill of Tarn grinds on Tuesdays.") == "added"
    assert "Tuesdays" in base.search("When does the mill of Tarn grind?", min_relevance=0)[0].passage.text
    add_upload(base, "ferry.txt", b"The ferry to Sorrel leaves at nine.")
    assert "nine" in process("search When does the ferry to Sorrel leave?")
    assert process("rebuild") == "done"  # in a collection of another name, which the other process must find
    assert "nine" in base.search("When does the ferry to Sorrel leave?", min_relevance=0)[0].passage.text
    points, _ = base.map()
    assert len(points) == 2
    base.remove(base.documents()[0].id)
    assert process("agrees") == "True" and agrees(base)


@pytest.mark.parametrize("ending", ["closes", "is killed"])
def test_the_next_process_takes_over_when_the_first_ends(tmp_path: Path, ending: str) -> None:
    with other(tmp_path) as process, KnowledgeBase(tmp_path, embeddings=FAKE) as base:
        assert process("add The mill of Tarn grinds on Tuesdays.") == "added"
        if ending == "closes":
            assert process.process.stdin
            process.process.stdin.close()
            assert process.hears() == "closed"
        else:
            process.process.kill()
            process.process.wait()
        assert "Tuesdays" in base.search("When does the mill of Tarn grind?", min_relevance=0)[0].passage.text
        add_upload(base, "ferry.txt", b"The ferry to Sorrel leaves at nine.")
        with other(tmp_path) as later:
            assert "nine" in later("search When does the ferry to Sorrel leave?")
        assert agrees(base)


def test_a_base_opens_while_another_process_writes_it(tmp_path: Path) -> None:
    with KnowledgeBase(tmp_path, embeddings=FAKE) as base:
        add_upload(base, "mill.txt", b"The mill of Tarn grinds on Tuesdays.")
        with base._writer.exclusive():
            base._store.mark_pending(["of a write that is under way"])
            with other(tmp_path) as process:
                assert "Tuesdays" in process("search When does the mill of Tarn grind?")


def test_a_holder_that_does_not_answer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_chroma, "WAIT_SECONDS", 0.5)
    folder = tmp_path / "knowledge" / "chroma"
    folder.mkdir(parents=True)
    with FileLock(folder.with_name("chroma.lock")):
        with pytest.raises(IndexBusyError, match="is open in another process, and that does not answer"):
            KnowledgeBase(tmp_path, embeddings=FAKE)
        Holder(4711, 9, "x", "another-machine").write(folder.with_name("chroma.holder.json"))
        with pytest.raises(IndexBusyError, match="pid 4711 on another-machine"):
            KnowledgeBase(tmp_path, embeddings=FAKE)
    KnowledgeBase(tmp_path, embeddings=FAKE).close()


# ---- the service


@pytest.fixture
def service(tmp_path: Path) -> Iterator[VectorService]:
    shared = SharedChroma.open(tmp_path / "chroma", None)
    assert isinstance(shared._access, shared_chroma._Folder)
    yield shared._access._service
    shared.close()


def test_only_whoever_knows_the_token_is_answered(service: VectorService, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{service.holder.port}"
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic wrong"}):
        for operation in ("ping", *OPERATIONS):
            reply = httpx.post(f"{url}/{operation}", json={"collection": "kb"}, headers=headers)
            assert (reply.status_code, reply.json()) == (401, {"error": "wrong token"})
    about = tmp_path / "chroma.holder.json"
    assert json.loads(about.read_text())["token"] == service.holder.token
    assert os.name == "nt" or stat.S_IMODE(about.stat().st_mode) == 0o600


def test_requests_that_make_no_sense_are_refused(service: VectorService) -> None:
    url = f"http://127.0.0.1:{service.holder.port}"
    headers = {"Authorization": f"Bearer {service.holder.token}"}
    for path, body in (
        ("/count", b"{}"),
        ("/count", b"["),
        ("/put", b'{"collection": "kb-test"}'),
        ("/exec", b"{}"),
    ):
        assert httpx.post(url + path, content=body, headers=headers).status_code == 400
    raw = HTTPConnection("127.0.0.1", service.holder.port, timeout=10)
    raw.request("POST", "/count", headers={**headers, "Content-Length": str(1 << 40)})
    assert raw.getresponse().status == 400
    raw.close()
    assert httpx.get(f"{url}/count", headers=headers).status_code == 501
    link = VectorLink(service.holder)
    with pytest.raises(StoreError):
        link.ask("get", collection="an impossible name!", ids=[])
    link.close()


def test_vectors_arrive_as_they_were_sent(service: VectorService) -> None:
    link = VectorLink(service.holder)
    linked, rows = LinkedVectors(link, "kb-test"), np.eye(3, dtype=np.float32)
    linked.put(["a", "b", "夜"], rows)
    assert linked.count == 3 and linked.ids() == {"a", "b", "夜"}
    assert np.array_equal(linked.get(["夜", "gone"])["夜"], rows[2])
    assert next(iter(linked.nearest(rows[1], 2))) == "b" and linked.nearest(rows[1], 2, ["a"]).keys() == {"a"}
    linked.delete(["a"])
    assert linked.get([]) == {} and linked.count == 2
    linked.drop()
    link.close()
