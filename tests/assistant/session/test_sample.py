"""The sample domain is offered to people who have no documents of their own, and to nobody else."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from langchain_core.embeddings import DeterministicFakeEmbedding
from streamlit.testing.v1 import AppTest

from assistant.i18n.texts import t, use_language
from assistant.session import resources, sample
from assistant.workspace import Workspace
from knowledge.base.knowledge_base import KnowledgeBase
from tests.fakes import ScriptedEngine

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
TIMEOUT_SECONDS = 60
EMPTY_QUESTION_SETS = """
import streamlit as st
from assistant.pages import compare_question_sets
st.write(list(compare_question_sets._names()))
"""
EMPTY_KNOWLEDGE_BASE = """
from assistant.pages import knowledge_intake
from assistant.session import resources
knowledge_intake.draw(resources.workspace().knowledge(), empty=True)
"""
NO_CHECKPOINT = """
from assistant.components import empty_state
from assistant.pages import memory
empty_state.draw("checkpoints", "", "")
memory.draw_no_checkpoint("inside")
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty home with a scripted model."""
    monkeypatch.setenv("IMPRINT_HOME", str(tmp_path))
    monkeypatch.setattr(Workspace, "_open_engine", lambda self, on_stage: ScriptedEngine())
    monkeypatch.setattr("assistant.session.resources._warm_up", lambda opened: opened.engine())
    st.cache_resource.clear()
    yield tmp_path
    st.cache_resource.clear()


def index(home: Path, name: str, *paths: Path) -> None:
    with KnowledgeBase(home, name, embeddings=DeterministicFakeEmbedding(size=8)) as base:
        assert [report.status for report in base.add(list(paths)) if report.status == "failed"] == []
    resources.count_knowledge()


def own_document(home: Path) -> Path:
    path = home / "own.md"
    path.write_text("The weather station weighs 640 grams.", encoding="utf-8")
    return path


def buttons(script: str = "") -> set[str]:
    """The keys of the buttons of the open app, or of a part of a page."""
    if script:
        test = AppTest.from_string(script, default_timeout=TIMEOUT_SECONDS).run()
    else:
        test = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=TIMEOUT_SECONDS).run()
    assert not test.exception and not test.error
    return {str(button.key) for button in test.button}


def test_an_empty_home_is_offered_the_sample(home: Path) -> None:
    assert sample.is_offered()
    assert {"to-knowledge", "sample-chat"} <= buttons()
    assert {"sample-checkpoints", "sample-inside"} <= buttons(NO_CHECKPOINT)


def test_questions_and_chat_are_offered_while_only_the_sample_is_indexed(home: Path) -> None:
    index(home, "default", sample.documents())
    index(home, "copy", *sorted(sample.documents().glob("*.md")))
    assert sample.is_offered()
    assert {"suggest-0", "suggest-1", "suggest-2", "sample-chat"} <= buttons()


def test_whoever_has_a_document_of_their_own_is_offered_no_sample(home: Path) -> None:
    index(home, "default", sample.documents() / "faq.html")
    index(home, "mine", own_document(home))
    assert not sample.is_offered()
    assert not {key for key in buttons() if key.startswith(("suggest", "sample"))}
    assert not {key for key in buttons(NO_CHECKPOINT) if key.startswith("sample")}
    test = AppTest.from_string(EMPTY_QUESTION_SETS, default_timeout=TIMEOUT_SECONDS).run()
    assert test.json[0].value == "[]"


def test_an_empty_knowledge_base_offers_the_sample_only_where_no_other_has_own_documents(home: Path) -> None:
    assert "sample" in buttons(EMPTY_KNOWLEDGE_BASE)
    index(home, "mine", own_document(home))
    assert "sample" not in buttons(EMPTY_KNOWLEDGE_BASE)


def suggested_facts() -> list[str]:
    """What the suggested questions are about."""
    return [r["fact"] for r in sample._records("questions") if r["question"] in sample.questions()]


@pytest.mark.parametrize(("language", "documents", "lessons"), [("en", 8, 22), ("zh", 4, 12)])
def test_what_is_said_of_the_sample_is_so_in_each_language(
    home: Path, language: str, documents: int, lessons: int
) -> None:
    use_language(language)
    try:
        assert (sample.file_count(), sample.lesson_count()) == (documents, lessons)
        opened = resources.workspace().store.get(sample.import_chat())
        taught = sum(
            message.role == "assistant"
            for message in opened.messages
            if message.correction or message.rating == 1
        )
        assert taught == lessons
        assert len(set(sample.questions(5))) == 5
        assert sum(fact in sample.SUGGESTED for fact in suggested_facts()) == 3
        thing = {"en": "Skerrin", "zh": "云雀"}[language]
        assert thing in t("tour.ask.text") and thing in sample.first_fact().question
    finally:
        use_language("en")


def test_the_sample_is_part_of_the_package() -> None:
    """Every file of it matches the patterns of what a wheel contains."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["assistant"]
    packaged = {path for pattern in patterns for path in (ROOT / "assistant").glob(pattern) if path.is_file()}
    assert packaged >= {path for path in sample.SAMPLE.rglob("*") if path.is_file()}
    assert len(list(sample.documents().iterdir())) == 8
    assert all(question.endswith(("?", "？")) for question in sample.questions())
    assert len(sample.questions(5)) == 5


def test_the_sample_chat_is_stored_with_its_corrections(home: Path) -> None:
    stored = resources.workspace().store.get(sample.import_chat())
    assert stored.messages[1].correction and stored.messages[1].rating == -1
