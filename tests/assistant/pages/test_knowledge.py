"""The Knowledge page: what a question finds, in all documents or in some."""

from pathlib import Path

from assistant.components.notes import map_of
from assistant.i18n.texts import t
from assistant.session.known_where import said_in_documents
from tests.assistant.pages.driver import page, words
from tuning.checkpoints.notes import TaughtFact


def test_the_search_can_be_kept_to_some_documents(home: Path, shelf: dict[str, str]) -> None:
    test = page("knowledge")
    test.text_input(key="search-passages").set_value("How much does the weather station weigh?").run()
    assert "640 grams" in words(test) and "310 grams" in words(test)
    test.multiselect(key="search-only-default").set_value([shelf["Tern"]]).run()
    assert "310 grams" in words(test) and "640 grams" not in words(test)
    test.text_input(key="search-passages").set_value("Who wrote Hamlet?").run()
    assert test.info[0].value == t("knowledge.search.none.only", count=1)
    # What is nearest is shown all the same, as what the chat would not read.
    assert t("knowledge.search.near") in words(test) and "310 grams" in words(test)


def test_a_fact_that_the_documents_say_too_is_marked(home: Path, shelf: dict[str, str]) -> None:
    facts = [
        TaughtFact("How heavy is the Tern?", "310 grams.", 3, 3, "held"),
        TaughtFact("Who leads the choir?", "Mara Quist.", 0, 3, "noted"),
    ]
    said = said_in_documents(facts)
    assert said == {"How heavy is the Tern?"}
    drawn = map_of(facts, said)
    assert drawn.count('class="held also"') == 1 and drawn.count('class="noted"') == 1
    assert t("note.in_documents", count=1) in drawn
