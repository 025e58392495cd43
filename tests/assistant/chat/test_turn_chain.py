"""The chain of a turn as a LangChain runnable: it says and sends what the turn does."""

import pytest
from langchain_core.output_parsers import StrOutputParser

from assistant.chat.chat import Chat
from assistant.chat.turn import AnswerOptions, Done, TurnState
from assistant.errors import AssistantError
from tests.assistant.chat.conftest import Shelf
from tests.fakes import ScriptedEngine

HEAVY = TurnState(question="What weighs the Skerrin?", history=())


def test_the_chain_is_a_langchain_runnable(shelf: Shelf) -> None:
    engine = ScriptedEngine("640 grams")
    chain = Chat(lambda: engine, knowledge=lambda name: shelf).chain(AnswerOptions("documents"))
    assert chain.invoke(HEAVY).text == "640 grams"
    assert [m.text for m in chain.batch([HEAVY, HEAVY])] == ["640 grams"] * 2
    chunks = [chunk.text for chunk in chain.stream(HEAVY)]
    assert chunks == ["640", " grams", ""]
    assert (chain | StrOutputParser() | str.upper).invoke(HEAVY) == "640 GRAMS"


async def test_the_chain_streams_asynchronously(shelf: Shelf) -> None:
    chat = Chat(lambda: ScriptedEngine("640 grams"), knowledge=lambda name: shelf)
    chunks = [chunk.text async for chunk in chat.chain(AnswerOptions("documents")).astream(HEAVY)]
    assert chunks == ["640", " grams", ""]


def test_a_turn_and_the_chain_send_and_say_the_same(shelf: Shelf) -> None:
    engine = ScriptedEngine("640 grams")
    chat, options = Chat(lambda: engine, knowledge=lambda name: shelf), AnswerOptions("documents")
    done = list(chat.ask(HEAVY["question"], options))[-1]
    assert isinstance(done, Done) and chat.chain(options).invoke(HEAVY).text == done.answer
    assert engine.prompts[0] == engine.prompts[1]
    shelf.finds = False
    done = list(chat.ask(HEAVY["question"], options))[-1]
    assert isinstance(done, Done) and chat.chain(options).invoke(HEAVY).text == done.answer != "640 grams"
    with pytest.raises(AssistantError, match="question is empty"):
        chat.chain(options).invoke({"question": " "})
