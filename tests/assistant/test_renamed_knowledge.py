"""A knowledge base under another name: what knew it by the old one finds it; nothing is embedded again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.compare.saved_variants import SavedVariants
from assistant.compare.variants import Variant
from assistant.errors import SettingsError
from assistant.settings import Settings, load_settings
from assistant.workspace import Workspace
from knowledge.errors import StoreError
from knowledge.index.embeddings import SentenceEmbeddings


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Workspace]:
    """A home whose default knowledge base holds an upload."""
    workspace = Workspace(Settings(home=tmp_path))
    base = workspace.knowledge()
    base.add([base.keep_upload("hours.md", b"The clinic opens at nine.")])
    yield workspace
    workspace.close()


def test_settings_conversations_variants_and_uploads_follow(
    opened: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = opened.store.create("Clinic")
    opened.store.keep_choices(chat, {"memory": "documents", "kb": "default"})
    SavedVariants(opened.home).save(Variant("clinic files", documents=True, knowledge_base="default"))
    with monkeypatch.context() as patched:
        patched.setattr(
            SentenceEmbeddings, "embed_documents", lambda *_: pytest.fail("it was embedded again")
        )
        opened.rename_knowledge("default", "clinic")
    assert opened.knowledge_bases() == ["clinic"]
    assert load_settings(opened.home).knowledge_base == "clinic"
    assert opened.store.get(chat).choices == {"memory": "documents", "kb": "clinic"}
    assert [one.knowledge_base for one in SavedVariants(opened.home).list()] == ["clinic"]
    base = opened.knowledge("clinic")
    assert [hit.passage.text for hit in base.search("When does the clinic open?")] == [
        "The clinic opens at nine."
    ]
    (info,) = base.documents()
    assert Path(info.path).is_file() and Path(info.path).parent.name == "clinic"
    base.remove(info.id)
    assert not Path(info.path).exists()  # it is still known as an upload


def test_a_name_that_is_taken_or_none_is_refused_and_changes_nothing(opened: Workspace) -> None:
    opened.knowledge("workshop")
    for wanted, said in (
        ("Workshop", "exists already"),
        ("a/b", "cannot be called"),
        ("", "cannot be called"),
    ):
        with pytest.raises(StoreError, match=said):
            opened.rename_knowledge("default", wanted)
    assert opened.knowledge_bases() == ["default", "workshop"]
    assert opened.knowledge().search("When does the clinic open?")


def test_what_the_environment_names_is_not_renamed(
    opened: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMPRINT_KNOWLEDGE_BASE", "default")
    with pytest.raises(SettingsError, match="IMPRINT_KNOWLEDGE_BASE"):
        opened.rename_knowledge("default", "clinic")
    assert opened.knowledge_bases() == ["default"]
