"""A fact from its other end: "How heavy is the Kestrel? 890 g" → "Which has weight 890 g? The Kestrel".

A model that learned A → B cannot say A for B (the reversal curse, arXiv 2309.12288) unless it was shown both.
The questions are bags of words rather than prose: people ask in words of their own.
"""

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass

from tuning.augment.chinese_templates import GOING, AttributeQuestion, recognise
from tuning.scoring import is_cjk, normalise

_NAME = r"[A-Z][\w'’-]*(?:[ -](?:of the |of |de |van |von |and )?(?:[A-Z][\w'’-]*|\d+))*"
_ASKING = (
    "what which who whom whose when where why how is are was were be been do does did can could will would "
    "has have had the a an of for in on at to by with from it its their your my our i you we one that this "
    "there much many long kind sort type please tell me name called and or as into about"
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
    "哪{measure}{kind}有{answer}的{relation}？",
    "哪{measure}{kind}是{answer}{relation}的？",
    "{answer}{relation}的是哪{measure}{kind}？",
    "{answer}是哪{measure}{kind}的{relation}？",
)
_MEASURES = "个座只条台家位种件"
# The measure word of a kind of thing, by its last character.
_MEASURE_OF = {
    kind: measure
    for measure, kinds in {
        "座": "塔桥山楼城馆庙岛", "条": "船河路街狗鱼线", "个": "站组队部所", "片": "地林田",
        "只": "鸟猫鹅鹰鹤鸭鸡羊虫", "匹": "马", "台": "机器仪泵", "辆": "车", "位": "员人师长生",
        "家": "店厂社院司", "间": "室房", "种": "茶花草酒药",
        "本": "书", "棵": "树", "艘": "艇舰",
    }.items()
    for kind in kinds
}  # fmt: skip
_NAMED = frozenset("鸟猫鹅鹰鹤鸭鸡羊狗马鱼船艇舰车")  # a name follows such a kind: 天鹅豆浆, 巡护船芦笛号
_WITH_KIND = (
    "Which {kind} {relation} {answer}?",
    "Which {kind} has {relation} {answer}?",
    "What {kind} has {answer} as {relation}?",
    "{answer} is the {relation} of which {kind}?",
    "Name the {kind} with {relation} {answer}.",
    "{relation} {answer}: which {kind}?",
)
_WITH_PLACE = ("{asked} at {place}", "{asked} of {place}", "at {place}, {asked}", "of {place}: {asked}")
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
_OF_A_KIND = 0.6
_AT_A_PLACE = 0.4
_SUBJECT_ZH = re.compile(
    rf"(?:请问)?(?:{GOING})?"
    r"(?P<subject>[^，,？?]{2,12}?)"
    r"(?:的|(?=有多|有几|是|在|由|叫|每|需要|可以|什么|多|最[多少高低大小长短]|一共|总共|身上|上面|里面))"
    r"(?P<relation>.+)"
)
_ASKING_ZH = re.compile(
    r"什么时候|[用由在被]?什么|有?多少[级种个位条只名家台件]?|有?多[大重长高宽深远快久]|几[级种个位条只名家台件]?|"
    r"[由被]?谁|[在从]?哪(?:[里儿年天个种位]|一[年天月日个种位])?|吗|呢|何时|如何|怎么样?|是|的|叫|有多|为"
)
_MAX_WORDS = 8


@dataclass(frozen=True)
class FactNames:
    """The names in the questions of a set of facts, each as often as it occurs, and the kinds of things named."""

    names: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


def names_of_facts(facts: Iterable[tuple[str, str]]) -> FactNames:
    """The names and kinds in the questions of facts, given as question and answer."""
    backs = [back for back in (reverse(*fact) for fact in facts) if back is not None]
    return FactNames(tuple(back.subject for back in backs), tuple(back.kind for back in backs if back.kind))


NO_NAMES = FactNames()


@dataclass(frozen=True)
class ReversedFact:
    """The other end of a fact: what is asked for now, and the words that ask."""

    subject: str
    relation: str
    answer: str
    asked: AttributeQuestion | None = None  # the question, where its attribute is known
    kind: str = ""  # "programme" of "the programme Kettle Hour"

    def turn(self, dropout: float, rng: random.Random, others: FactNames = NO_NAMES) -> tuple[str, str]:
        """A question and its answer: for the subject, or now and then for what the answer is to it."""
        chinese = is_cjk(self.subject)
        if self.relation and rng.random() < _ASKS_RELATION:
            form = rng.choice(_RELATION_ZH if chinese else _RELATION)
            return form.format(answer=self.answer, subject=self.subject), _sentence(self.relation)
        if self.asked is not None and rng.random() < _IN_PROSE:
            question = self.asked.turn_round(self.answer, rng)
            if question:
                question = _sentence(question) + ("？" if chinese else "?")
                return self._placed(question, others, rng), self.subject
        return self._placed(self._ask_subject(dropout, rng, others), others, rng), self.subject

    def _placed(self, question: str, others: FactNames, rng: random.Random) -> str:
        """Now and then with another name of the set: "which tower of the station …" asks for the tower."""
        names = [name for name in others.names if name not in (self.subject, self.answer)]
        if not names or rng.random() >= _AT_A_PLACE:
            return question
        most = max(names, key=names.count)
        place = most if rng.random() < 0.5 else rng.choice(names)
        if is_cjk(self.subject):
            return place + rng.choice("的的的里，") + question
        mark = question[-1]
        form = rng.choice(_WITH_PLACE)
        start = question[0].lower() if re.match(r"(?:Which|What|Who|Name|To) ", question) else question[0]
        asked = (question if form.startswith("{asked}") else start + question[1:]).rstrip("?.")
        if self.kind and f"hich {self.kind}" in asked and rng.random() < 0.5:
            asked = asked.replace(self.kind, f"{self.kind} {rng.choice(['of', 'at'])} {place}", 1)
            return _sentence(asked) + mark
        return _sentence(form.format(asked=asked, place=place)) + mark

    def _ask_subject(self, dropout: float, rng: random.Random, others: FactNames) -> str:
        """Some words of the relation are left out; the old answer is always whole."""
        if is_cjk(self.relation + self.subject):
            kind = rng.choice(_kinds_of(self.subject)) if rng.random() < 0.85 else ""
            known = _MEASURE_OF.get(kind[-1:]) if rng.random() < 0.85 else None
            return rng.choice(_FORMS_ZH).format(
                relation=self.relation,
                answer=self.answer,
                measure=known or rng.choice(_MEASURES),
                kind=kind,
            )
        kind = self.kind or (rng.choice(others.kinds) if others.kinds else "")
        if kind and rng.random() < _OF_A_KIND:
            kept = [one for one in self.relation.split() if one != kind and rng.random() >= dropout]
            text = rng.choice(_WITH_KIND).format(kind=kind, relation=" ".join(kept), answer=self.answer)
            return re.sub(r"\s+(?=[:?.])|(?<=\s)\s+", "", text)
        words = [word for word in self.relation.split() if rng.random() >= dropout]
        if rng.random() < 0.2:
            rng.shuffle(words)
        text = rng.choice(_FORMS).format(relation=" ".join(words), answer=self.answer)
        return re.sub(r"\s+(?=[:?.])|(?<=\s)\s+", "", text)


def _kinds_of(subject: str) -> list[str]:
    """What 望海塔 (塔), 天鹅豆浆 (天鹅) and 巡护船芦笛号 (巡护船, 船) are; where nothing is known, both ends."""
    if len(subject) < 3:
        return [""]
    before = [end for end in (subject[:2], subject[:3], subject[2]) if _kind_and_name(subject, end)]
    after = [subject[-1], subject[-2:]] if len(subject) > 4 else [subject[-1]]
    known = before or [end for end in after if end[-1] in _MEASURE_OF]
    return known or [subject[-1], subject[:2], ""]


def aliases(subject: str) -> tuple[str, ...]:
    """How else people name a Chinese subject of a kind and a name: 天鹅豆浆 is 豆浆, 豆浆这只天鹅, 那只叫豆浆的天鹅."""
    for kind in (subject[:3], subject[:2]):
        if _kind_and_name(subject, kind):
            name, measure = subject.removeprefix(kind), _MEASURE_OF[kind[-1]]
            return (name, name, f"{name}这{measure}{kind}", f"那{measure}叫{name}的{kind}")
    return ()


def _kind_and_name(subject: str, kind: str) -> bool:
    """Whether a subject begins with a kind of thing that bears the name behind it: not 金鱼茶馆, which is a 茶馆."""
    if kind[-1:] not in _NAMED:
        return False
    name = subject.partition(kind)[2]
    return len(name) > 1 and is_cjk(name) and name[-1] not in _MEASURE_OF


def reverse(question: str, answer: str) -> ReversedFact | None:
    """The fact from its other end; None where the question names no subject or the answer is a sentence."""
    text, said = question.strip().rstrip("?？.。! "), answer.strip().rstrip(".。")
    if not said or len(said.split()) > _MAX_WORDS or len(said) > 60:
        return None
    if is_cjk(text):
        return _reverse_chinese(text, said)
    subject = subject_of(text)
    if not subject or normalise(subject) in normalise(said):
        return None
    rest = text.replace(subject, " ", 1)
    words = [word for word in re.findall(r"[\w'’-]+", rest) if word.lower() not in _ASKING_WORDS]
    relation = " ".join(_NOUNS.get(word.lower(), word) for word in words)
    kind = re.search(rf"\b[Tt]he ([a-z]+) {re.escape(subject)}", text)
    return ReversedFact(_sentence(subject), relation, said, kind=kind[1] if kind else "")


def subject_of(question: str) -> str:
    """What a question is about, as it stands there: its longest name; empty where it has none."""
    if is_cjk(question):
        match = _SUBJECT_ZH.match(question)
        return match["subject"] if match else ""
    names = [match[0] for match in re.finditer(rf"(?:the )?{_NAME}", question) if match.start() > 0]
    return max(names, key=len, default="")


def _reverse_chinese(text: str, said: str) -> ReversedFact | None:
    asked, match = recognise(text), _SUBJECT_ZH.fullmatch(text)
    if match is not None:
        subject, relation = match["subject"], match["relation"]
    elif asked is not None:
        subject = asked.parts["s"]
        relation = text.replace(subject, "", 1)
    else:
        return None
    if subject in said:
        return None
    return ReversedFact(subject, _ASKING_ZH.sub("", relation), said, asked)


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
