"""`imprint notes`, and questions that a note answers."""

from tests.assistant.cli.invoke import Run, document

QUESTION = "Who leads Halden?"


def test_a_note_answers_from_the_next_question_on(run: Run) -> None:
    added = document(run("notes", "add", QUESTION, "Tobias Renn.", "--json"))
    answered = document(run("ask", QUESTION, "--json"))
    assert (answered["answer"], answered["from_notes"], answered["prompt_tokens"]) == (
        "Tobias Renn.",
        True,
        0,
    )
    assert answered["sources"][0]["title"] == "Note"
    alone = document(run("ask", QUESTION, "--no-notes", "--json"))
    assert (alone["answer"], alone["from_notes"]) == ("640 grams", False)
    assert document(run("notes", "--json"))["notes"] == [added]
    assert "Tobias Renn." in run("notes").output
    document(run("notes", "delete", added["id"], "--yes", "--json"))
    assert document(run("ask", QUESTION, "--json"))["answer"] == "640 grams"


def test_notes_of_a_checkpoint_that_is_not_there(run: Run) -> None:
    refused = run("notes", "--checkpoint", "gone")
    assert refused.exit_code == 1 and "There is no checkpoint 'gone'" in refused.stderr


def test_nothing_to_teach_is_said(run: Run) -> None:
    refused = run("tune", "--notes")
    assert refused.exit_code == 1 and "Nothing to learn" in refused.stderr
