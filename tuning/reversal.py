"""A fact from its other end: "How heavy is the Kestrel? 890 g" → "Which has weight 890 g? The Kestrel".

A model that learned A → B cannot say A for B (the reversal curse, arXiv 2309.12288) unless it was shown both.
The questions are bags of words rather than prose: people ask in words of their own.
"""

import random
import re
from dataclasses import dataclass

from tuning.scoring import is_cjk, normalise
from tuning.wordings import Asked, recognise

_NAME = r"[A-Z][\w'’-]*(?:[ -](?:of the |of |de |van |von |and )?(?:[A-Z][\w'’-]*|\d+))*"
_ASKING = (
    "what which who whom whose when where why how is are was were be been do does did can could will would "
    "has have had the a an of for in on at to by with from it its their your my our i you we one that this "
    "there much many long please tell me name called and or as into about"
)
# What "how …" asks for: the noun that the question hides.
_NOUNS = {
    "heavy": "weight", "weigh": "weight", "tall": "height", "high": "height", "deep": "depth",
    "fast": "speed", "old": "age", "long": "length", "wide": "width", "far": "distance", "cost": "price",
    "expensive": "price", "big": "size", "large": "size", "hot": "temperature", "cold": "temperature",
    "thick": "thickness",
}  # fmt: skip
_ASKING_WORDS = frozenset(_ASKING.split())
_FORMS = (
    "Which {relation} {answer}?",
    "What has {relation} {answer}?",
    "Who or what: {relation} {answer}?",
    "{answer} is the {relation} of what?",
    "What {relation} is {answer}?",
    "{answer}: {relation} of which one?",
    "Name the one with {relation} {answer}.",
    "To what does {relation} {answer} belong?",
)
_FORMS_ZH = (
    "{relation}{answer}的是什么？",
    "哪一个{relation}{answer}？",
    "什么的{relation}是{answer}？",
    "{answer}是谁的{relation}？",
    "{relation}为{answer}的是哪个？",
    "{answer}：{relation}，是什么？",
    "哪{measure}{kind}的{relation}是{answer}？",
    "哪{measure}{kind}{relation}{answer}？",
    "{relation}是{answer}的是哪{measure}{kind}？",
    "有{answer}的是哪{measure}{kind}？",
)
_MEASURES = "个座只条台家位种件"
_RELATION = (
    "What is {answer} to {subject}?",
    "What is {answer} at {subject}?",
    "{answer} and {subject}: what is the connection?",
    "What does {answer} have to do with {subject}?",
    "{subject}: what does {answer} stand for?",
)
_RELATION_ZH = (
    "{answer}是{subject}的什么？",
    "{subject}：{answer}是什么？",
    "{answer}和{subject}有什么关系？",
)
_ASKS_RELATION = 0.25
_IN_PROSE = 0.3
_SUBJECT_ZH = re.compile(
    r"(?:请问)?(?P<subject>[^，,？?]{2,12}?)(?:的|(?=有多|有几|是|在|由|叫|每|需要|可以|什么|多))(?P<relation>.+)"
)
_ASKING_ZH = re.compile(
    r"什么时候|什么|多少|几|谁|哪[里儿年天个种位]?|吗|呢|多久|何时|如何|怎么样?|是|的|叫|有多|为"
)
_MOST_WORDS = 8


@dataclass(frozen=True)
class Reversed:
    """The other end of a fact: what is asked for now, and the words that ask."""

    subject: str
    relation: str
    answer: str
    asked: Asked | None = None  # the question, where its attribute is known

    def turn(self, dropout: float, chance: random.Random) -> tuple[str, str]:
        """A question and its answer: for the subject, or now and then for what the answer is to it."""
        chinese = is_cjk(self.subject)
        if self.relation and chance.random() < _ASKS_RELATION:
            form = chance.choice(_RELATION_ZH if chinese else _RELATION)
            return form.format(answer=self.answer, subject=self.subject), _sentence(self.relation)
        if self.asked is not None and chance.random() < _IN_PROSE:
            question = self.asked.turn_round(self.answer, chance)
            if question:
                return _sentence(question) + ("？" if chinese else "?"), self.subject
        return self._ask_subject(dropout, chance), self.subject

    def _ask_subject(self, dropout: float, chance: random.Random) -> str:
        """Some words of the relation are left out; the old answer is always whole."""
        if is_cjk(self.relation + self.subject):
            kinds = [self.subject[-1], self.subject[:2], ""] if len(self.subject) > 2 else [""]
            return chance.choice(_FORMS_ZH).format(
                relation=self.relation,
                answer=self.answer,
                measure=chance.choice(_MEASURES),
                kind=chance.choice(kinds),  # 望海塔 is a 塔, 天鹅豆浆 a 天鹅
            )
        words = [word for word in self.relation.split() if chance.random() >= dropout]
        if chance.random() < 0.2:
            chance.shuffle(words)
        text = chance.choice(_FORMS).format(relation=" ".join(words), answer=self.answer)
        return re.sub(r"\s+(?=[:?.])|(?<=\s)\s+", "", text)


def reverse(question: str, answer: str) -> Reversed | None:
    """The fact from its other end; None where the question names no subject or the answer is a sentence."""
    text, told = question.strip().rstrip("?？.。! "), answer.strip().rstrip(".。")
    if not told or len(told.split()) > _MOST_WORDS or len(told) > 60:
        return None
    if is_cjk(text):
        return _reverse_chinese(text, told)
    subject = subject_of(text)
    if not subject or normalise(subject) in normalise(told):
        return None
    rest = text.replace(subject, " ", 1)
    words = [word for word in re.findall(r"[\w'’-]+", rest) if word.lower() not in _ASKING_WORDS]
    relation = " ".join(_NOUNS.get(word.lower(), word) for word in words)
    return Reversed(_sentence(subject), relation, told)


def subject_of(question: str) -> str:
    """What a question is about, as it stands there: its longest name; empty where it has none."""
    if is_cjk(question):
        match = _SUBJECT_ZH.match(question)
        return match["subject"] if match else ""
    names = [match[0] for match in re.finditer(rf"(?:the )?{_NAME}", question) if match.start() > 0]
    return max(names, key=len, default="")


def _reverse_chinese(text: str, told: str) -> Reversed | None:
    asked, match = recognise(text), _SUBJECT_ZH.fullmatch(text)
    if match is not None:
        subject, relation = match["subject"], match["relation"]
    elif asked is not None:
        subject = asked.parts["s"]
        relation = text.replace(subject, "", 1)
    else:
        return None
    if subject in told:
        return None
    return Reversed(subject, _ASKING_ZH.sub("", relation), told, asked)


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
