"""A follow-up question in words that stand alone, written by the model that answers and checked by its words."""

from collections.abc import Sequence

from assistant.engines.base import Engine
from assistant.language.refusals import is_refusal
from assistant.language.text import has_chinese, same_text
from assistant.language.thinking import answer_of
from knowledge.text.stopwords import STOPWORDS
from knowledge.text.terms import terms
from tuning.data.examples import Message

_TURNS = 2  # of the conversation that the model reads
_MOST_CHARACTERS = 300  # of each message, and of the question it writes
_TOKENS = 64
_KNOWN_SHARE = 0.7  # of the content words it writes, so many are the question's or the conversation's
_ENGLISH = (
    "Conversation:\nUser: {asked}\nAssistant: {answered}\n\nLast question: {question}\n\n"
    "Write the last question again so that somebody who has not read the conversation understands it. "
    "Put names in place of pronouns. Write the question alone."
)
_CHINESE = (
    "对话：\n用户：{asked}\n助手：{answered}\n\n最后一个问题：{question}\n\n"
    "请改写最后一个问题，使没有读过对话的人也能看懂，用名称代替代词。只写改写后的问题。"
)
# A worked example shows a model of half a billion parameters what no description does.
_SHOWN = {
    False: (
        ("How tall is the Brunner tower?", "It is 84 metres tall.", "And who built it?"),
        "Who built the Brunner tower?",
    ),
    True: (("布鲁纳塔有多高？", "高84米。", "那是谁建的？"), "布鲁纳塔是谁建的？"),
}


def rewritten(question: str, history: Sequence[Message], engine: Engine) -> str:
    """The question, so that it is understood without the history; "" where what the model wrote cannot be used.

    Raises EngineError.
    """
    turns = [message["content"][:_MOST_CHARACTERS] for message in history if message["content"].strip()]
    if len(turns) < 2:
        return ""
    asked = [message["content"] for message in history if message["role"] == "user"][-_TURNS:]
    chinese = has_chinese(question)
    (first, said, follow_up), alone = _SHOWN[chinese]
    form = _CHINESE if chinese else _ENGLISH
    prompt = [
        {"role": "user", "content": form.format(asked=first, answered=said, question=follow_up)},
        {"role": "assistant", "content": alone},
        {
            "role": "user",
            "content": form.format(asked="\n".join(asked), answered=turns[-1], question=question),
        },
    ]
    reply = answer_of(engine.complete([prompt], max_new_tokens=_TOKENS)[0]).strip()
    return reply if _is_usable(reply, question, [*asked, turns[-1]]) else ""


def _is_usable(reply: str, question: str, read: Sequence[str]) -> bool:
    """Whether it is one new question, made of words that were said: what was asked for, and more than that."""
    if not reply or "\n" in reply or len(reply) > _MOST_CHARACTERS or is_refusal(reply):
        return False
    if any(same_text(reply, one) for one in read):  # the earlier question once more
        return False
    said, before, written = _content(" ".join([question, *read])), _content(question), _content(reply)
    keeps_subject = bool(written & before) or not before
    return keeps_subject and bool(written - before) and len(written & said) >= _KNOWN_SHARE * len(written)


def _content(text: str) -> set[str]:
    return {term for term in terms(text) if term not in STOPWORDS}
