"""Reads one conversation: what each turn taught, as a question that stands alone where a rule can make it so."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from assistant.chat.citations import cite_sources
from assistant.chat.nothing_found import says_nothing_found
from assistant.curation.candidates import Labeller, LeftOut
from assistant.curation.corrections import Pair, is_same_question, named, restated
from assistant.curation.feedback import confirms, corrected_answer, says_nothing
from assistant.curation.followups import needs_context, stand_alone
from assistant.curation.stated_facts import stated_facts
from assistant.history.records import StoredConversation, StoredMessage
from assistant.language.extractive import is_grounded
from assistant.language.facts import facts_in
from assistant.language.small_talk import is_small_talk
from assistant.language.text import normal
from knowledge.grounding.own_numbers import without_numbers
from tuning.data.examples import Message

BY_MODEL = "written by a model, checked against the text"
DOUBTFUL = "a rule alone finds this; the tuned reader does not"
# A longer message is material (a text to summarise, code) rather than a statement.
_MAX_STATEMENT = 500
_CONTEXT_TURNS = 2
_UNFINISHED = {"stopped": "the answer was stopped", "failed": "the answer failed"}
_BROKEN_OFF = {
    "length": "the answer was cut at its longest length",
    "repeated": "the answer began to repeat itself",
    "context": "the file that it is from says that it is not to be learned",
}
_TASK = re.compile(
    r"^(?:please |can you |could you )?(?:translate|summari[sz]e|rewrite|rephrase|correct|fix|write|"
    r"explain|classify|label|"
    r"list|extract|improve|proofread|shorten|continue|complete|convert)\b|^(?:请)?(?:把|将|帮我)?(?:翻译|总结|改写|写|解释|"
    r"分类|提取|润色|续写|缩写)",
    re.IGNORECASE,
)
_ACKNOWLEDGED = re.compile(
    r"^(?:ok(?:ay)?|sure|noted|got it|understood|thanks?(?: you)?(?: for .{1,40})?|"
    r"i(?:'ll| will) remember.{0,40}|"
    r"好的?|知道了|明白了?|谢谢.{0,10}|记住了)(?:[\s.!。！,，].{0,20})?$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class ChatReading:
    """Something taught: a question, its answer, and of which kind it is."""

    question: str
    answer: str
    # A key of `candidates.REASONS`.
    kind: str
    source: str
    # The turns without which the question cannot be understood.
    context: tuple[Message, ...] = ()
    note: str = ""
    # Whether what checks it speaks against it.
    is_doubtful: bool = False


@dataclass(frozen=True)
class _Turn:
    number: int
    question: str
    answer: StoredMessage | None
    # The message after the answer: it may say that the answer was wrong.
    reply: str
    source: str


@dataclass(frozen=True)
class _AcceptedAnswer:
    """The answer of a turn that may be learned; "" with a reason where there is none."""

    answer: str
    kind: str = ""
    why: str = ""


def read_conversation(
    conversation: StoredConversation, labeller: Labeller | None = None
) -> tuple[list[ChatReading], list[LeftOut]]:
    """All that was taught on the active branch, in order, and what was left out.

    `labeller` reads statements besides the rules; what it writes counts only where the message holds it.
    """
    readings: list[ChatReading] = []
    left_out: list[LeftOut] = []
    earlier: list[tuple[str, str]] = []
    before: _Turn | None = None
    told: list[Pair] = []  # since the last question
    known: list[Pair] = []  # told at any time
    for turn in (_without_other_reply(one, known) for one in _turns(conversation)):
        again = [] if _asks(turn.question) else restated(turn.question, told) or named(turn.question, known)
        if again:
            readings += [ChatReading(question, answer, "said", turn.source) for question, answer in again]
            told += again
            known += again
            before = None
            continue
        spoke_of_answer = before is not None and _speaks_of(before, turn.question)
        before = turn if turn.answer is not None else None
        if spoke_of_answer or is_small_talk(turn.question):
            continue
        stated = list(_stated(turn, labeller))
        readings += stated
        if stated and not _asks(turn.question):
            told += [(one.question, one.answer) for one in stated]
            known += told[-len(stated) :]
            continue
        told = []  # what follows speaks of an answer
        accepted = _accepted_answer(turn)
        if not accepted.answer:
            if accepted.why:
                left_out.append(LeftOut(_text_of(turn), accepted.why, turn.source))
            earlier.append((_alone(turn.question, earlier), ""))
            continue
        reading = _short(_reading(turn, accepted, earlier))
        readings.append(reading)
        earlier.append((reading.question, reading.answer))
    return readings, left_out


def _turns(conversation: StoredConversation) -> Iterator[_Turn]:
    messages = [message for message in conversation.messages if message.role != "system"]
    number = 0
    for place, message in enumerate(messages):
        if message.role != "user" or not message.content.strip():
            continue
        number += 1
        following = messages[place + 1] if place + 1 < len(messages) else None
        answer = following if following is not None and following.role == "assistant" else None
        after = messages[place + 2] if answer is not None and place + 2 < len(messages) else None
        reply = after.content if after is not None and after.role == "user" else ""
        source = f"conversation {conversation.id}, turn {number}"
        yield _Turn(number, message.content.strip(), answer, reply, source)


def _without_other_reply(turn: _Turn, known: Sequence[Pair]) -> _Turn:
    """Without the message after the answer where that puts right a fact that was told before, and not this answer."""
    again = named(turn.reply, known)
    if not again or any(is_same_question(question, turn.question) for question, _ in again):
        return turn
    return replace(turn, reply="")


def _speaks_of(turn: _Turn, message: str) -> bool:
    said = turn.answer.content if turn.answer is not None else ""
    return confirms(message) or corrected_answer(message, turn.question, said) is not None


def _stated(turn: _Turn, labeller: Labeller | None) -> Iterator[ChatReading]:
    """What the person stated rather than asked: by rules, and by what a model writes of it."""
    text = turn.question
    if _TASK.match(text):
        return
    by_rules = len(text) <= _MAX_STATEMENT and "```" not in text
    for fact in stated_facts(text, None if _asks(text) else labeller, by_rules=by_rules):
        kind, note = (
            ("written", BY_MODEL) if fact.by_model else ("said", DOUBTFUL if fact.is_doubtful else "")
        )
        yield ChatReading(
            fact.question, fact.answer, kind, turn.source, note=note, is_doubtful=fact.is_doubtful
        )


def _asks(text: str) -> bool:
    return "?" in text or "？" in text


def _accepted_answer(turn: _Turn) -> _AcceptedAnswer:
    answer = turn.answer
    if answer is None:
        return _AcceptedAnswer("", why="it was not answered")
    if answer.correction and answer.correction.strip():
        return _AcceptedAnswer(_canonical(answer.correction, turn.question), "corrected")
    corrected = corrected_answer(turn.reply, turn.question, answer.content) if turn.reply else None
    if corrected:
        return _AcceptedAnswer(corrected, "corrected")
    if corrected == "":
        return _AcceptedAnswer("", why="you said that it was wrong, but not what is right")
    if says_nothing_found(answer.content):
        return _AcceptedAnswer("", why="it says that the documents hold nothing on this")
    if answer.rating < 0:
        return _AcceptedAnswer("", why="disliked, and no better answer given")
    if answer.status != "complete":
        return _AcceptedAnswer("", why=_UNFINISHED.get(answer.status, "the answer is not finished"))
    if answer.ending == "repeated" or (answer.ending in _BROKEN_OFF and answer.rating <= 0):
        return _AcceptedAnswer("", why=_BROKEN_OFF[answer.ending])
    if not answer.content.strip():
        return _AcceptedAnswer("", why="the answer is empty")
    text = without_numbers(answer.content, len(answer.sources)).text.strip()
    if not _asks(turn.question) and _ACKNOWLEDGED.match(text) and answer.rating <= 0:
        return _AcceptedAnswer("", why="nothing was asked, and no rule finds a fact in it")
    if answer.rating > 0 or (turn.reply and confirms(turn.reply)):
        return _AcceptedAnswer(text, "liked")
    if says_nothing(text):
        return _AcceptedAnswer("", why="the answer says that it does not know")
    if answer.sources:
        passages = [source.sent for source in answer.sources]
        if not is_grounded(text, passages):
            return _AcceptedAnswer("", why="the passages it was answered from do not support it")
        return _AcceptedAnswer(text, "documents" if _is_cited_whole(answer, turn.question) else "unsupported")
    return _AcceptedAnswer(text, "plain")


def _is_cited_whole(answer: StoredMessage, question: str) -> bool:
    """Whether a passage stands behind every sentence, by the words: the page marks the others with a question mark."""
    cited = cite_sources(answer.content, answer.sources, question=question)
    return all(citation.supported for citation in cited.citations)


def _canonical(correction: str, question: str) -> str:
    """A correction without "no, it is": the answer alone."""
    answer = corrected_answer(correction, question)
    return answer if answer else correction.strip()


def _reading(turn: _Turn, accepted: _AcceptedAnswer, earlier: Sequence[tuple[str, str]]) -> ChatReading:
    question = _without_greeting(turn.question)
    if not needs_context(question):
        return ChatReading(question, accepted.answer, accepted.kind, turn.source)
    alone = stand_alone(question, earlier)
    if alone:
        note = f"asked as: {question}"
        return ChatReading(alone, accepted.answer, accepted.kind, turn.source, note=note)
    trusted = [(asked, answer) for asked, answer in earlier if answer][-_CONTEXT_TURNS:]
    context = tuple(
        {"role": role, "content": text}
        for pair in trusted
        for role, text in zip(("user", "assistant"), pair, strict=True)
    )
    note = (
        "keeps the turns before it, on which it depends" if context else "depends on turns that are left out"
    )
    return ChatReading(question, accepted.answer, accepted.kind, turn.source, context, note)


def _short(reading: ChatReading) -> ChatReading:
    """With the bare answer where the whole one only repeats the question around it."""
    if reading.kind == "plain":
        return reading
    for fact in facts_in(reading.answer):
        if normal(fact.question) == normal(reading.question) and normal(fact.sentence) == normal(
            reading.answer
        ):
            note = "; ".join(filter(None, [reading.note, f"shortened from: {reading.answer}"]))
            return replace(reading, answer=fact.answer, note=note)
    return reading


def _alone(question: str, earlier: Sequence[tuple[str, str]]) -> str:
    return (stand_alone(question, earlier) or question) if needs_context(question) else question


def _without_greeting(question: str) -> str:
    bare = re.sub(
        r"^(?:hi|hello|hey|good morning|你好|您好)(?: there| imprint)?[,!.， ！。]+\s*(?=\S)",
        "",
        question,
        flags=re.I,
    )
    return bare if bare == question else bare[:1].upper() + bare[1:]


def _text_of(turn: _Turn) -> str:
    return turn.answer.content if turn.answer is not None and turn.answer.content.strip() else turn.question
