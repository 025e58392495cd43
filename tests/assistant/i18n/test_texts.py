"""The table of interface texts: complete in English, and the same blanks in every language."""

import json
import re
from pathlib import Path

import pytest

from assistant.chat.presets import Presets
from assistant.curation import preferences as reading
from assistant.curation.candidates import Candidate, without_secrets
from assistant.curation.secrets import KINDS
from assistant.i18n import texts
from assistant.i18n.texts import LANGUAGE_NAMES, TEXTS, t, translated, use_language
from assistant.preferences import collect, sources
from tuning.data.examples import Example
from tuning.models.known import KNOWN
from tuning.training.methods import ALL_METHODS


def test_every_text_has_english_and_only_known_languages() -> None:
    for key, columns in TEXTS.items():
        assert columns["en"].strip(), key
        assert set(columns) <= set(LANGUAGE_NAMES), key


def test_every_text_is_there_in_chinese() -> None:
    chinese = json.loads((Path(texts.__file__).parent / "zh.json").read_text("utf-8"))["texts"]
    assert list(chinese) == list(TEXTS)
    assert [key for key, text in chinese.items() if not text.strip()] == []


def test_methods_presets_and_reasons_are_there_in_chinese(tmp_path: Path) -> None:
    written = [text for one in ALL_METHODS.values() for text in (one.sentence, one.cost, one.choose_when)]
    written += [text for one in Presets(tmp_path).list() for text in (one.name, one.sentence)]
    use_language("zh")
    try:
        assert [text for text in written if translated(text) == text] == []
        assert translated("already learned; asked as: Is it so?") == "已经学过；原问法：Is it so?"
        assert translated("my own: words") == "my own: words"
        assert [one.title for one in KNOWN if "without" in translated(one.title)] == []
    finally:
        use_language("en")
    assert translated("already learned") == "already learned"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_secret_has_its_reason_in_chinese(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.curation.candidates.secret_in", lambda text: kind)
    asked = ({"role": "user", "content": "What?"}, {"role": "assistant", "content": "That."})
    _, left_out = without_secrets([Candidate(Example(asked), "corrected")])
    use_language("zh")
    try:
        assert translated(left_out[0].why) != left_out[0].why
    finally:
        use_language("en")


def test_every_reason_to_leave_a_preference_out_is_there_in_chinese() -> None:
    written = (
        *(
            reading.NOTICE,
            reading.UNFINISHED,
            reading.SAME,
            reading.REPEATED,
            sources.TIE,
            sources.JUDGED_TIE,
        ),
        *(collect.CONTRADICTS, collect.JUDGED_BOTH_WAYS, collect.OVERRULED),
        *(collect.SECRET.format(kind=kind) for kind in KINDS),
    )
    use_language("zh")
    try:
        assert [reason for reason in written if translated(reason) == reason] == []
    finally:
        use_language("en")


@pytest.mark.parametrize(
    ("note", "chinese"),
    [
        (
            "pages 3, 5 without text (pictures or scans) could not be read",
            "第 3, 5 页没有文字（图片或扫描件），无法读取",
        ),
        ('sheet "Old" has hidden rows, which were read: 4', "工作表“Old”有隐藏的行，已读取：4"),
        (
            "its attachment a.doc was not read: it is an old Word document (.doc): save it as .docx",
            "附件 a.doc 未读取：这是旧版 Word 文档（.doc）：请另存为 .docx",
        ),
    ],
)
def test_what_was_not_read_of_a_document_is_said_in_chinese(note: str, chinese: str) -> None:
    use_language("zh")
    try:
        assert translated(note) == chinese
    finally:
        use_language("en")


def test_translations_fill_in_the_same_blanks() -> None:
    for key, columns in TEXTS.items():
        blanks = {language: set(re.findall(r"(?<!{){(\w+)", text)) for language, text in columns.items()}
        assert all(found == blanks["en"] for found in blanks.values()), key


def test_one_has_a_sentence_of_its_own() -> None:
    assert t("budget.forgotten", count=1).startswith("1 earlier message no longer fits")
    assert t("budget.forgotten", count=2).startswith("2 earlier messages no longer fit ")


def test_a_missing_translation_falls_back_to_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TEXTS, "test.key", {"en": "Send {count}", "zh": "发送{count}"})
    monkeypatch.setitem(TEXTS, "test.other", {"en": "Stop"})
    use_language("zh")
    try:
        assert (t("test.key", count=2), t("test.other")) == ("发送2", "Stop")
        use_language("xx")
        assert t("test.key", count=2) == "Send 2"
    finally:
        use_language("en")


def test_an_unknown_key_is_a_mistake() -> None:
    with pytest.raises(KeyError, match=r"no\.such\.key"):
        t("no.such.key")


def test_patterns_are_sentences_of_the_program() -> None:
    """A pattern whose English changed would translate nothing."""
    folders = (Path(texts.__file__).parents[2] / name for name in ("assistant", "tuning", "knowledge"))
    said = "\n".join(path.read_text("utf-8") for folder in folders for path in folder.rglob("*.py"))
    said = re.sub(r'"\s*\n\s*f?"', "", said)  # texts over several lines
    plain = re.sub(r"\{[^{}]*\}", "{}", said)
    gone = [english for english in texts.PATTERNS["zh"] if english not in plain]
    assert gone == []


def test_what_a_sentence_names_stands_in_its_translation() -> None:
    use_language("zh")
    try:
        asked = "Cannot delete 'one': 'two' was trained from it. Delete that first."
        assert translated(asked) == "无法删除 'one'：'two' 是从它训练而来的。请先删除后者。"
        held = "Nothing can be learned yet: all that was said was left out (the answer failed). Correct an answer, "
        whole = held + "mark a good one with thumbs up, or state a fact in a message."
        assert "（回答失败）" in translated(whole)
    finally:
        use_language("en")
