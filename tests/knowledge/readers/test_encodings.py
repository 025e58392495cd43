"""Text in any encoding."""

import pytest

from knowledge.errors import DocumentError
from knowledge.ingest.document import read_bytes

SIMPLIFIED = "灯笼重量为三点五公斤，由青铜和玻璃制成。这是一个关于人们如何使用灯笼的故事，我们在这里说明。"


TRADITIONAL = "燈籠重量為三點五公斤，由青銅和玻璃製成。這是一個關於人們如何使用燈籠的故事，我們在這裡說明。"


JAPANESE = "このランプの重さは三キロです。青銅とガラスで作られています。使い方を説明します。"


FRENCH = "Un éclairage très économique, conçu à Genève – « déjà vu » coûte 12 €."


RUSSIAN = "Лампа весит три килограмма и сделана из бронзы и стекла. Она светит всю ночь."


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        *(
            (SIMPLIFIED, encoding)
            for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030", "gbk")
        ),
        *((TRADITIONAL, encoding) for encoding in ("utf-8", "utf-16", "big5", "gb18030")),
        *((JAPANESE, encoding) for encoding in ("utf-8", "utf-16-le", "shift_jis", "cp932", "euc_jp")),
        *((FRENCH, encoding) for encoding in ("utf-8", "cp1252", "utf-16")),
        *((RUSSIAN, encoding) for encoding in ("utf-8", "cp1251", "utf-16")),
        ("Just ASCII, nothing more.", "utf-16-le"),
        ("Just ASCII, nothing more.", "utf-32"),
    ],
)
def test_any_encoding(text: str, encoding: str) -> None:
    assert read_bytes("a.txt", (text + "\r\n").encode(encoding)).text == text


@pytest.mark.parametrize("encoding", ["gb18030", "big5", "shift_jis", "cp1252"])
def test_mostly_ascii_with_a_few_words_of_another_language(encoding: str) -> None:
    words = {
        "gb18030": "灯笼的重量",
        "big5": "燈籠的重量",
        "shift_jis": "ランプの重さ",
        "cp1252": "façade, naïve, über",
    }
    text = "The lamp is described below, in the usual way.\n" * 20 + words[encoding]
    assert read_bytes("a.txt", text.encode(encoding)).text == text


def test_some_broken_bytes_do_not_change_the_encoding() -> None:
    data = SIMPLIFIED.encode() + b"\xff\xfe" + SIMPLIFIED.encode()
    assert read_bytes("a.txt", data).text == SIMPLIFIED + "\ufffd\ufffd" + SIMPLIFIED


def test_binary_under_a_text_name_is_refused() -> None:
    with pytest.raises(DocumentError, match="it is not text"):
        read_bytes("a.txt", bytes(range(256)) * 40)
