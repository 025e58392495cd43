"""What is exported to train from comes back as it was, whatever it says."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tuning.data.examples import Message, is_learned
from tuning.data.exporters import CHAT_EXPORTERS, ExportedChat, JudgedAnswer, RejectedAnswer, to_jsonl
from tuning.data.importers import import_file

# What an importer takes out on purpose is no part of this: reasoning in tags, half an emoji.
TEXT = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="<\x00"), min_size=1, max_size=40
).filter(str.strip)
MASKED = {"weight": "0"}


def turn(role: str, text: str, *, is_masked: bool = False) -> Message:
    return {"role": role, "content": text, **(MASKED if is_masked else {})}


@st.composite
def chats(draw: st.DrawFn, masks: bool = True) -> ExportedChat:
    """A chat whose last answer is learned, so that nothing of it is beside the point."""
    system = [turn("system", draw(TEXT))] if draw(st.booleans()) else []
    earlier = draw(st.lists(st.tuples(TEXT, TEXT, st.booleans() if masks else st.just(False)), max_size=3))
    pairs = [*earlier, (draw(TEXT), draw(TEXT), False)]
    turns = [
        one for q, a, masked in pairs for one in (turn("user", q), turn("assistant", a, is_masked=masked))
    ]
    return ExportedChat((*system, *turns))


def learned(chats: list[ExportedChat]) -> list[tuple[Message, ...]]:
    return [chat.messages for chat in chats]


@pytest.mark.parametrize("form", ["openai", "sharegpt"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_chats=st.lists(chats(), min_size=1, max_size=3))
def test_a_round_trip_loses_nothing(form: str, given_chats: list[ExportedChat], tmp_path: Path) -> None:
    path = tmp_path / "chats.jsonl"
    path.write_bytes(to_jsonl(given_chats, CHAT_EXPORTERS[form]).encode())
    assert [one.messages for one in import_file(path).examples] == learned(given_chats)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_chats=st.lists(chats(), min_size=1, max_size=3))
def test_alpaca_teaches_each_answer_once(given_chats: list[ExportedChat], tmp_path: Path) -> None:
    path = tmp_path / "chats.jsonl"
    path.write_bytes(to_jsonl(given_chats, CHAT_EXPORTERS["alpaca"]).encode())
    back = [m["content"] for one in import_file(path).examples for m in one.messages if is_learned(m)]
    assert back == [m["content"] for chat in given_chats for m in chat.messages if is_learned(m)]


def test_a_chat_without_an_answer_to_learn_is_left_out() -> None:
    chat = ExportedChat((turn("user", "q"), turn("assistant", "a", is_masked=True)))
    assert [to_jsonl([chat], exporter) for exporter in CHAT_EXPORTERS.values()] == [""] * 5


def test_preferences_are_trls() -> None:
    prompt = (turn("user", "Weight?"),)
    chat = ExportedChat(
        (), (RejectedAnswer(prompt, "640 grams.", "Heavy."),), (JudgedAnswer(prompt, "Heavy.", False),)
    )
    said = [{"role": "user", "content": "Weight?"}]
    assert json.loads(to_jsonl([chat], CHAT_EXPORTERS["dpo"])) == {
        "prompt": said,
        "chosen": [{"role": "assistant", "content": "640 grams."}],
        "rejected": [{"role": "assistant", "content": "Heavy."}],
    }
    assert json.loads(to_jsonl([chat], CHAT_EXPORTERS["kto"])) == {
        "prompt": said,
        "completion": [{"role": "assistant", "content": "Heavy."}],
        "label": False,
    }
