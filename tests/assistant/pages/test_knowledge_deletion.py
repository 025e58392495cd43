"""Deleting a whole knowledge base on its page: asked first, and gone with its vectors and uploads."""

from pathlib import Path

import pytest

from assistant.errors import AssistantError
from assistant.i18n.texts import t
from assistant.workspace import Workspace
from tests.assistant.pages.driver import errors, page, words

pytestmark = pytest.mark.slow


@pytest.fixture
def clinic(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An uploaded document of a knowledge base, beside another base."""
    opened = Workspace()
    base = opened.knowledge("clinic")
    upload = base.keep_upload("hours.md", b"The clinic opens at nine.")
    base.add([upload])
    opened.knowledge("workshop")
    opened.close()
    monkeypatch.setenv("IMPRINT_KNOWLEDGE_BASE", "clinic")
    return upload


def test_a_knowledge_base_is_deleted_after_a_question(home: Path, clinic: Path) -> None:
    test = page("knowledge")
    test.button(key="icon-delete-kb").click().run()
    assert t("knowledge.delete.ask", name="clinic", count=1) in words(test)
    assert clinic.exists()
    test.button(key="delete-sure").click().run()
    assert not errors(test)
    assert not clinic.exists()

    opened = Workspace()
    assert opened.knowledge_bases() == ["workshop"]
    with pytest.raises(AssistantError, match="There is no knowledge base 'clinic'"):
        opened.existing_knowledge("clinic")
    assert opened.knowledge("clinic").search("When does the clinic open?") == []  # a new one begins empty
    opened.close()
