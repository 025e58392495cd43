"""Whether an answer refuses (says that it does not know), by its words, in English and Chinese."""

import re

from assistant.language.text import has_chinese, sentences

_ENGLISH = re.compile(
    r"""
    \b(?:
      (?:i|we)\s*(?:do\s+not|don['’]?t|cannot|can['’]?t|can\s+not|could\s+not|couldn['’]?t|could\s+n['’]t)
        \s+(?:\w+ly\s+)?(?:know|find|answer|tell|say|determine|provide|have|see|assist|help|confirm|verify|give|access)
    | i\s+found\s+nothing | i\s*(?:am|['’]m|was)\s+(?:unable|not\s+able)\s+to
    | i\s*(?:am|['’]m)\s+not\s+(?:sure|aware|certain|familiar)
    | (?:does|do|did)\s*(?:not|n['’]?t)\s+(?:say|mention|state|specify|contain|provide|include|hold|give
        |tell|indicate)
    | (?:is|are|was|were)\s*(?:not|n['’]?t)\s+(?:mentioned|stated|specified|provided|given|known
        |available|included
        |in\s+the\s+(?:context|documents?|text|passages?))
    | (?:it\s+is\s+)?(?:unknown|unclear|not\s+known|not\s+specified|not\s+mentioned|not\s+stated)
    | no\s+(?:information|mention|answer|data|details?)\b
    | (?:there\s+is|has)\s+no\s+(?:information|mention|record)
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_CHINESE = re.compile(
    r"不知道|不清楚|不确定|不了解|无法(?:回答|确定|得知|找到|提供|判断)|没有(?:提到|提及|说明|相关|找到|给出|记载|信息)"
    r"|未(?:提到|提及|说明|给出|知|找到)|找不到|抱歉|资料中没有|文中没有"
)


def is_refusal(answer: str) -> bool:
    """Whether the answer begins by saying that it has none, or is empty.

    Only the first sentence counts: a model that says "I do not know, but…" and then invents something has
    still refused; one that answers and adds a doubt has not.
    """
    text = answer.strip()
    if not text:
        return True
    first = next(iter(sentences(text)), text)
    return bool((_CHINESE if has_chinese(first) else _ENGLISH).search(first))
