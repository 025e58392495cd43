"""What LangChain sees of a home: the chat model, the history, the knowledge base in chains."""

from pathlib import Path
from typing import Any

import pytest
from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import RunnablePassthrough
from langchain_tests.unit_tests import ChatModelUnitTests
from pydantic import ValidationError

from imprint import AssistantError, ChatImprint, Imprint
from knowledge.index.embeddings import SentenceEmbeddings
from tests.fakes import ScriptedEngine


class TestUnitStandard(ChatModelUnitTests):
    """LangChain's suite of what needs no answer, with the options that the engine below can hold."""

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatImprint

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"engine": ScriptedEngine(), "model": "halden"}

    @property
    def standard_chat_model_params(self) -> dict[str, Any]:
        """Without a key: a model on this machine takes none, and what is not known is refused."""
        return {key: value for key, value in super().standard_chat_model_params.items() if key != "api_key"}


def test_a_model_is_named_and_opened_late(home: Imprint, engine: ScriptedEngine) -> None:
    named = {None: None, "base": None, "scripted": None, "halden": "halden"}
    for name, checkpoint in named.items():
        model = ChatImprint(model=name, home=home.path)
        assert model.invoke("How heavy?").text == "640 grams"
        assert engine.checkpoints_asked[-1] == checkpoint
    assert home.chat_model("halden", max_tokens=1).invoke("How heavy?").text == "640"
    model.invoke("How heavy?", model="base")
    assert engine.checkpoints_asked[-1] is None


def test_a_copy_of_a_model_opens_nothing(tmp_path: Path) -> None:
    model = ChatImprint(model="halden", home=tmp_path / "nowhere")
    assert model.model_copy(deep=True).checkpoint == "halden"
    assert not (tmp_path / "nowhere").exists()


def test_an_option_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValidationError, match="temprature"):
        ChatImprint(temprature=1)  # type: ignore[call-arg]


def test_a_knowledge_base_composes_with_a_model(
    home: Imprint, engine: ScriptedEngine, minilm: SentenceEmbeddings, tmp_path: Path
) -> None:
    home._workspace.__dict__["embeddings"] = minilm
    (tmp_path / "manual.md").write_text("# Skerrin\n\nThe Skerrin weighs 640 grams.\n", encoding="utf-8")
    kb = home.knowledge_base("halden")
    assert [one.status for one in kb.add(tmp_path / "manual.md")] == ["added"]
    assert [one.title for one in kb.documents()] == ["Skerrin"] and home.knowledge_bases() == ["halden"]
    (best,) = kb.search("How heavy is the Skerrin?", k=1)
    assert "640 grams" in best.text and best.source.endswith("manual.md")

    prompt = ChatPromptTemplate.from_template("{context}\n\n{question}")
    chain = (
        {"context": kb.as_retriever(k=1), "question": RunnablePassthrough()}
        | prompt
        | ChatImprint(home=home.path)
    )
    assert chain.invoke("How heavy is the Skerrin?").text == "640 grams"
    assert "The Skerrin weighs 640 grams." in engine.prompts[-1][0]["content"]
    assert "640 grams" in kb.as_tool().invoke("How heavy is the Skerrin?")
    assert kb.as_vectorstore().similarity_search("How heavy is the Skerrin?", k=1)
    answer = home.ask("How heavy is the Skerrin?", knowledge_base="halden")
    assert answer.sources == (str(tmp_path / "manual.md"),)
    kb.remove(kb.documents()[0].id)
    assert kb.search("How heavy is the Skerrin?") == []


def test_a_history_goes_on_under_its_sessions_name(home: Imprint, engine: ScriptedEngine) -> None:
    prompt = ChatPromptTemplate.from_messages([MessagesPlaceholder("history"), ("human", "{question}")])
    chain = prompt | ChatImprint(home=home.path)
    for question in ("How heavy is it?", "And how wide?"):
        talk = home.conversation("mia")
        answer = chain.invoke({"history": talk.messages, "question": question})
        talk.add_messages([HumanMessage(question), answer])
    asked = ["How heavy is it?", "640 grams", "And how wide?"]
    assert [one["content"] for one in engine.prompts[-1]] == asked
    assert [one.text for one in home.conversation("mia").messages] == [*asked, "640 grams"]
    assert home.conversation("tom").messages == [] and home.conversation("tom").id != talk.id


def test_a_history_is_a_conversation_of_the_home(home: Imprint) -> None:
    talk = home.conversation()
    assert isinstance(talk, BaseChatMessageHistory)
    talk.add_messages([SystemMessage("Be brief."), HumanMessage("Weight?"), AIMessage("560 grams.")])
    store = home._workspace.store
    answer = store.get(talk.id).messages[-1]
    store.correct(answer.id, "640 grams.")
    assert [one.text for one in home.conversation(talk.id).messages] == ["Be brief.", "Weight?", "640 grams."]
    talk.clear()
    assert talk.messages == [] and len(store.all_messages(talk.id)) == 3
    talk.add_user_message("Again?")
    assert [one.text for one in talk.messages] == ["Again?"]
    with pytest.raises(AssistantError, match="There is no conversation 99"):
        home.conversation(99)


def test_an_agents_tools_leave_no_trace_in_a_history(home: Imprint) -> None:
    talk = home.conversation()
    call = {"name": "search", "args": {}, "id": "1"}
    talk.add_messages(
        [HumanMessage("Weight?"), AIMessage("", tool_calls=[call]), ToolMessage("640", tool_call_id="1")]
    )
    assert [one.text for one in talk.messages] == ["Weight?"]
