"""Where the model hardly knows the language of a question, the documents answer in their own words."""

from dataclasses import replace
from pathlib import Path

import pytest

from assistant.chat.chat import Chat
from assistant.chat.turn import AnswerOptions, Done
from assistant.chat.verbatim import best_sentence, hardly_speaks
from assistant.history.conversations import ConversationStore
from assistant.history.records import VERBATIM
from assistant.history.sources import Source
from tests.fakes import ScriptedEngine
from tuning.config import DEFAULT_BASE

HANDBOOK = (
    Source(1, "每位员工每年有 27 天带薪年假。休假须至少提前四周向孟小青申请。"),
    Source(2, "诊所的猫叫豆豆。豆豆每天喂两次。"),
)


@pytest.mark.parametrize(
    ("question", "sentence"),
    [("每年有多少天带薪年假？", "每位员工每年有 27 天带薪年假。"), ("诊所的猫叫什么？", "诊所的猫叫豆豆。")],
)
def test_the_sentence_that_was_asked_for_is_quoted(question: str, sentence: str) -> None:
    assert best_sentence(question, HANDBOOK) == sentence


MANUAL = (
    Source(1, "云雀折叠车重9.6公斤。车架由竹纤维复合材料制成。", title="云雀折叠车说明书"),
    Source(2, "车架保修12年，其他零件保修2年。", title="云雀折叠车说明书", headings=("保修",)),
    Source(3, "试骑要带什么？请带身份证，每次最多40分钟。\n补胎之前先放气。", title="常见问题"),
    Source(4, "项目: 补胎; 价格（元）: 35; 所需时间: 二十分钟", title="价目表"),
)


@pytest.mark.parametrize(
    ("question", "held"),
    [
        ("云雀折叠车有多重？", "9.6公斤"),
        ("云雀折叠车的车架保修几年？", "12年"),  # the name, which stands in every title, weighs nothing
        ("云雀的车架用什么做成？", "竹纤维"),
        ("试骑要带什么？", "身份证"),  # not the question of the list itself
        ("补胎多少钱？", "35"),
    ],
)
def test_what_is_asked_about_counts_and_not_the_name_that_is_everywhere(question: str, held: str) -> None:
    assert held in best_sentence(question, MANUAL)


def test_only_the_models_that_were_taught_in_english_are_held_back_and_only_from_chinese() -> None:
    assert hardly_speaks(DEFAULT_BASE, "猫叫什么？")
    assert not hardly_speaks(DEFAULT_BASE, "What is the cat called?")
    assert not hardly_speaks("qwen2.5-1.5b-instruct", "猫叫什么？")


def test_no_model_is_asked_and_the_answer_says_what_it_is(tmp_path: Path) -> None:
    store = ConversationStore(tmp_path / "conversations.sqlite3")
    engine = ScriptedEngine("一段胡言乱语")
    engine.name = DEFAULT_BASE
    chat, conversation = Chat(lambda: engine, store), store.create()
    read = AnswerOptions(given=tuple(source.text for source in HANDBOOK))
    quoting = replace(read, quotes=True)
    done = list(chat.ask("诊所的猫叫什么？", quoting, conversation_id=conversation))[-1]
    assert isinstance(done, Done)
    assert (done.answer, done.ending, done.engine) == ("诊所的猫叫豆豆。", VERBATIM, "")
    assert engine.prompts == []
    list(chat.ask("诊所的猫叫什么？", read, conversation_id=conversation))
    assert len(engine.prompts) == 1  # a program that did not ask for quotations gets the model
    assert [one.ending for one in store.get(conversation).messages] == ["", VERBATIM, "", ""]
