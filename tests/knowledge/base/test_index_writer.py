"""Passages and vectors agree, whatever ends a write."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding

from knowledge.base.knowledge_base import KnowledgeBase
from knowledge.errors import EmbeddingChangedError
from tests.knowledge.bases import add_upload, agrees

pytestmark = pytest.mark.slow


def test_another_embedding_model_asks_for_a_rebuild_and_the_rebuild_does_it(
    base: KnowledgeBase, folder: Path, tmp_path: Path
) -> None:
    base.add([folder])
    before = base._writer.vectors.name
    with KnowledgeBase(tmp_path / "home", embeddings=DeterministicFakeEmbedding(size=16)) as other:
        with pytest.raises(
            EmbeddingChangedError, match="indexed with the embedding model 'all-minilm-l6-v2'"
        ):
            other.search("kettle")
        with pytest.raises(EmbeddingChangedError, match="rebuild"):
            other.add([folder])
        other.rebuild()
        assert "840" in other.search("Zephyr weight 840 grams", min_relevance=0)[0].passage.text
        assert other._writer.vectors.name != before and agrees(other)


ROOT = Path(__file__).parents[3]  # where a process of a test finds the packages
WRITER = """
import sys
from pathlib import Path
from langchain_core.embeddings import DeterministicFakeEmbedding
import knowledge.base.intake
from knowledge.base.knowledge_base import KnowledgeBase
from tests.knowledge.bases import add_upload
knowledge.base.intake.GROUP_PASSAGES = 2
base = KnowledgeBase(Path(sys.argv[1]), embeddings=DeterministicFakeEmbedding(size=8))
print("open", flush=True)
while True:
    for length in (40, 3, 17):
        for number in range(6):
            text = "".join(f"# Part {at}\\n\\nLine {at} of {number}, {length}.\\n\\n" for at in range(length))
            add_upload(base, f"{number}.md", text.encode())
"""


@pytest.mark.parametrize("delay", [0.05, 0.4, 1.1])
def test_killed_at_any_moment_the_index_is_whole_when_opened_again(tmp_path: Path, delay: float) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as writer:
        assert writer.stdout and writer.stdout.readline() == "open\n"
        threading.Event().wait(delay)
        writer.kill()
    with KnowledgeBase(tmp_path, embeddings=DeterministicFakeEmbedding(size=8)) as base:
        assert agrees(base)
        add_upload(base, "0.md", b"# Part 0\n\nAll is well again.\n")
        assert any(
            "well again" in hit.passage.text for hit in base.search("All is well again", min_relevance=0)
        )
        assert agrees(base)


def test_a_lost_vector_folder_is_filled_again(tmp_path: Path) -> None:
    fake = DeterministicFakeEmbedding(size=8)
    with KnowledgeBase(tmp_path, embeddings=fake) as base:
        add_upload(base, "a.txt", b"Beetroot soup is served cold.")
        base._writer.vectors.delete(list(base._writer.vectors.ids()))
    with KnowledgeBase(tmp_path, embeddings=fake) as base:
        assert agrees(base) and base._writer.vectors.count == 1
