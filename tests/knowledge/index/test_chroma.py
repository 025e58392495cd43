"""The index on a real Chroma server, which several processes may share."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding

from knowledge.base.knowledge_base import KnowledgeBase
from knowledge.errors import StoreError
from tests.knowledge.bases import add_upload

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]  # where a process of a test finds the packages


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    chroma = Path(sys.executable).with_name("chroma")
    path = tmp_path_factory.mktemp("server")
    command = [str(chroma), "run", "--path", str(path), "--host", "127.0.0.1", "--port", str(port)]
    if not chroma.exists():
        command[0:1] = [sys.executable, "-c", "from chromadb.cli.cli import app; app()"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        url = f"http://127.0.0.1:{port}"
        for _ in range(200):
            try:
                if httpx.get(f"{url}/api/v2/heartbeat").status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        yield url
        process.terminate()


ADD = """
import sys
from pathlib import Path
from langchain_core.embeddings import DeterministicFakeEmbedding
from knowledge.base.knowledge_base import KnowledgeBase
from tests.knowledge.bases import add_upload
fake = DeterministicFakeEmbedding(size=8)
with KnowledgeBase(Path(sys.argv[1]), embeddings=fake, chroma_url=sys.argv[2]) as base:
    print(add_upload(base, "mill.txt", b"The mill of Tarn grinds on Tuesdays.").status)
"""


def test_what_one_process_adds_another_finds(server: str, tmp_path: Path) -> None:
    fake = DeterministicFakeEmbedding(size=8)
    with KnowledgeBase(tmp_path, embeddings=fake, chroma_url=server) as base:
        add_upload(base, "ferry.txt", b"The ferry to Sorrel leaves at nine.")
        assert "nine" in base.search("When does the ferry to Sorrel leave?", min_relevance=0)[0].passage.text
        command = [sys.executable, "-c", ADD, str(tmp_path), server]
        assert subprocess.check_output(command, text=True, cwd=ROOT) == "added\n"
        hits = base.search("When does the mill of Tarn grind?", min_relevance=0)
        assert any("Tuesdays" in hit.passage.text for hit in hits)
        base.remove(base.documents()[0].id)
        assert base._writer.vectors.count == base.count == 1
    assert not (tmp_path / "knowledge" / "chroma").exists()


def test_a_server_that_does_not_answer_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"No Chroma server answers at http://127\.0\.0\.1:9"):
        KnowledgeBase(tmp_path, chroma_url="http://127.0.0.1:9")
