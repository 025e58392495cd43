"""Feedback in words: whether a message says that the answer before it was wrong or right, and what is right."""

import re

from assistant.language.facts import facts_in
from assistant.language.text import capitalised, has_chinese, normal

_NO = re.compile(
    r"^(?:(?:no|nope|wrong|incorrect|false|not (?:quite|true|right|correct)|actually|sorry|well|hm+|oh|"
    r"almost|"
    r"(?:that|this)(?:'s| is| was) (?:wrong|not (?:right|true|correct|it)|incorrect|false)|"
    r"you(?:'re| are) wrong|i (?:was|am) wrong|my mistake|i meant|to correct (?:you|myself)|"
    r"correction)\b[\s,.!:;—–-]*)+",
    re.IGNORECASE,
)
_WEAK = re.compile(r"^(?:actually|sorry|well|hm+|oh)\b[\s,.!:;—–-]*(?!.*\b(?:not|wrong)\b)", re.IGNORECASE)
IT_IS = re.compile(
    r"^(?:(?:it|they)(?:'s| is| was|'re| are| were) called|its \w+ (?:is|was)|"
    r"it(?:'s| is| was| should be| should have been| must be)|they(?:'re| are| were)|that(?:'s| is| would "
    r"be)|"
    r"the (?:right|correct|real|true|actual) (?:answer|value|number|name|one) (?:is|was)|"
    r"(?:the )?answer (?:is|was)|should be|make that|rather)\b[\s,:]*(?:actually |really |in fact )?",
    re.IGNORECASE,
)
_NOT_BUT = re.compile(r"^not (?P<old>.+?),? (?:but|it(?:'s| is)|rather) (?P<new>.+)$", re.IGNORECASE)
NEW_NOT_OLD = re.compile(r"^(?P<new>.+?),? (?:and )?not (?P<old>[^,]+)$", re.IGNORECASE)
_ZH_NO = re.compile(
    r"^(?:(?:不对|不是的?|错了?|不正确|你错了|答错了|说错了|我弄错了|更正|不|其实|应该是?|纠正一下)[，,。！!、：: ]*)+"
)
_ZH_IT_IS = re.compile(r"^(?:它|答案|正确答案|正确的)?(?:应该|其实|实际上)?(?:是|为|叫)")
_ZH_NOT_BUT = re.compile(r"^(?:它)?不(?:是|叫)(?P<old>.+?)[，,]\s*(?:而?是|而?叫|应该是)(?P<new>.+)$")
_NO_ANSWER = re.compile(
    r"\bI(?:'m| am)? (?:sorry|afraid|do(?:n't| not) (?:know|have)|can(?:not|'t) (?:find|answer|help)|"
    r"am (?:not sure|unable))|\bas an AI\b|我不知道|无法回答|抱歉|对不起",
    re.IGNORECASE,
)
_NOT_AN_ANSWER = re.compile(
    r"(?:thanks?|thank you|i |please|can you|could you|let|try|tell|give|ok|okay|sure|never|fine|hello|yes|"
    r"explain|problem|worries|need|the other|the one|something|that one)\b",
    re.IGNORECASE,
)
_NAMES_ONLY = re.compile(r"[A-Z0-9][\w'-]*(?: [A-Z0-9][\w'-]*){0,3}|\d.{0,30}")
_YES = re.compile(
    r"^(?:yes|yep|yeah|right|correct|exactly|perfect|great|thanks|thank you|well done)?[,!. ]*(?:"
    r"that(?:'s| is) (?:right|correct|true|it)|exactly|correct|(?:you(?:'re| are) )?right|spot on|"
    r"perfect)[!. ]*"
    r"(?:thanks|thank you)?[!. ]*$|"
    r"^(?:对的?|没错|正确|是的|完全正确|答对了|说得对)[，,。！! ]*(?:谢谢)?[。！! ]*$",
    re.IGNORECASE,
)


def corrected_answer(message: str, question: str, answer: str = "") -> str | None:
    """What the message says the answer to `question` should have been.

    "" when it only says that `answer` was wrong; None when it is not about `answer`, which it follows.
    """
    text = message.strip().replace("’", "'")
    if not text or text.endswith(("?", "？")) or len(text) > 400:
        return None
    if has_chinese(text):
        return _chinese(text)
    swapped = NEW_NOT_OLD.match(text.rstrip(" .!"))
    if swapped and len(text.split()) <= 12 and normal(swapped["old"]) in normal(answer):
        return _english(f"no, it is {swapped['new']}", question)
    if says_nothing(answer) and (IT_IS.match(text) or _NAMES_ONLY.fullmatch(text.rstrip(" .!"))):
        return _english(f"no, {text}", question)
    return _english(text, question)


def after_no(message: str) -> str:
    """The message without the words with which it says that something was wrong."""
    said_no = (_ZH_NO if has_chinese(message) else _NO).match(message)
    return message[said_no.end() :].strip() if said_no else message


def says_nothing(answer: str) -> bool:
    """Whether an answer only says that it does not know."""
    return bool(_NO_ANSWER.search(answer))


def confirms(message: str) -> bool:
    """Whether the message says that the answer before it was right."""
    return bool(_YES.match(message.strip().replace("’", "'")))


def _english(text: str, question: str) -> str | None:
    not_but = _NOT_BUT.match(text.rstrip(" .!"))
    if not_but and not _NO.match(text[: not_but.start("old")] + "\0"):
        return _plain(not_but["new"])
    plainly = re.match(
        r"the (?:right|correct|real|true) (?:answer|value|number|name|one) (?:is|was) (?P<new>.+)", text, re.I
    )
    if plainly:
        return _plain(plainly["new"])
    said_no = _NO.match(text)
    if not said_no:
        return None
    rest = text[said_no.end() :].strip().rstrip("!.")
    if not rest:
        return None if _WEAK.match(text) else ""
    not_but = _NOT_BUT.match(rest)
    if not_but:
        return _plain(not_but["new"])
    it_is = IT_IS.match(rest)
    if it_is:
        rest = rest[it_is.end() :]
        new = NEW_NOT_OLD.match(rest)
        return _plain(new["new"] if new else rest)
    if _NOT_AN_ANSWER.match(rest):
        return None
    facts = facts_in(rest + ".")
    if facts:
        return _plain(facts[0].answer)
    # A bare phrase, "no, 47 minutes": short, and said after a real "no".
    if len(rest.split()) <= 6 and not _WEAK.match(text) and question:
        return _plain(rest)
    return None


def _plain(answer: str) -> str:
    answer = answer.strip().strip("\"'“”").rstrip(" .!,")
    return capitalised(answer) + "." if answer else ""


def _chinese(text: str) -> str | None:
    not_but = _ZH_NOT_BUT.match(text.rstrip("。！! "))
    if not_but:
        return not_but["new"].strip("。！! ") + "。"
    said_no = _ZH_NO.match(text)
    if not said_no:
        return None
    rest = text[said_no.end() :].strip("。！!，, ")
    if not rest:
        return None if text.startswith(("其实", "应该")) else ""
    not_but = _ZH_NOT_BUT.match(rest)
    if not_but:
        return not_but["new"] + "。"
    it_is = _ZH_IT_IS.match(rest)
    if it_is:
        return rest[it_is.end() :] + "。"
    facts = facts_in(rest + "。")
    if facts:
        return facts[0].answer.rstrip("。") + "。"
    plain_no = text.startswith("不对") or not text.startswith(("不", "其实"))
    return rest + "。" if plain_no and len(rest) <= 20 else None
