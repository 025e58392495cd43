"""Greetings, thanks and goodbyes are told from what asks for something."""

import pytest

from assistant.language.small_talk import is_small_talk

TALK = [
    "Hello!", "hi there", "Thank you very much.", "How are you today?", "Good morning, Imprint!", "Bye-bye",
    "Ok, thanks!",     "你好！", "您好，早上好。", "谢谢你！", "再见～", "Hello, 你好",
]  # fmt: skip
ASKED = [
    "", "Hello! What is 3 plus 4?", "Say hello.", "What is the weather?", "Thanks, and how heavy is it?",
    "Hi-fi shops in Oslo", "Welcome pack price", "你好，3 加 4 等于多少？", "谢谢用英语怎么说？",
    "早上好吃的店", "hello " * 40,
]  # fmt: skip


@pytest.mark.parametrize("message", TALK)
def test_small_talk_asks_for_nothing(message: str) -> None:
    assert is_small_talk(message)


@pytest.mark.parametrize("message", ASKED)
def test_what_asks_for_something_is_none(message: str) -> None:
    assert not is_small_talk(message)
