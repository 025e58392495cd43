"""`imprint ask`."""

from pathlib import Path

from assistant.settings import Settings
from assistant.workspace import Workspace
from tests.assistant.cli.invoke import Run, document


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


def test_ask_says_that_the_documents_hold_no_answer_and_how_to_see_one_all_the_same(
    run: Run, tmp_path: Path
) -> None:
    handbook = tmp_path / "handbook.md"
    handbook.write_text(
        "# The Skerrin\n\nThe Skerrin weighs 640 grams and is painted orange. It is moored in the harbour.\n",
        encoding="utf-8",
    )
    run("index", handbook)
    asked = ("ask", "Which insurance company covers the Skerrin?", "--memory", "rag")
    said = run(*asked)
    assert said.stdout == "I found nothing about this in the documents.\n" and "--anyway" in said.stderr
    assert run(*asked, "--anyway").stdout == "640 grams\n"
    weight = ("ask", "How heavy is the Skerrin?", "--memory", "rag")
    said = run(*weight)
    assert said.stdout == "The Skerrin weighs 640 grams and is painted orange.\n" and "quoted" in said.stderr
    assert run(*weight, "--anyway").stdout == "640 grams\n"
