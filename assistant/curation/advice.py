"""When not to fine-tune: what is better kept in documents, and why."""

import re

_CHANGES = re.compile(
    r"\b(?:today|tonight|tomorrow|yesterday|currently|at the moment|right now|at present|this (?:morning|"
    r"week|month|"
    r"quarter)|so far|as of|until further notice|latest|newest|next (?:week|month|meeting)|stock (?:price|"
    r"level)|in stock|"
    r"exchange rate|weather|temperature outside|on duty)\b|"
    r"今天|今晚|明天|昨天|目前|现在|本周|这周|本月|下周|最新|库存|汇率|"
    r"天气|值班",
    re.IGNORECASE,
)
_LIST_ITEM = re.compile(r"^\s*(?:[-*•]|\d+[.)、])\s+", re.MULTILINE)
_MAX_ITEMS, _MAX_WORDS, _MAX_CHARACTERS = 6, 120, 240


def better_in_documents(question: str, answer: str) -> str:
    """One sentence on why this should stay in documents, or "" when tuning suits it."""
    if _CHANGES.search(f"{question}\n{answer}"):
        return "It changes often: a document can be replaced at any time, a checkpoint must be tuned again."
    if (
        len(_LIST_ITEM.findall(answer)) > _MAX_ITEMS
        or len(re.findall(r"[,，、;；]", answer)) > 2 * _MAX_ITEMS
    ):
        return "It is a long list: a model learns it with gaps, while a document is quoted whole."
    if len(answer.split()) > _MAX_WORDS or len(re.findall(r"[\u3400-\u9fff]", answer)) > _MAX_CHARACTERS:
        return "It is long: a model keeps short answers well, while a document is quoted word by word."
    return ""
