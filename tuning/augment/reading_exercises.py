"""Reading exercises: a context that holds the answer among other sentences, the way retrieval asks.

A model that learned facts answers from memory even where a passage says otherwise, and retrieval gets worse
(RAFT, arXiv 2403.10131). Everything is invented anew for each step, in the form of the chat's own prompt.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tuning.augment.question_rewording import reword
from tuning.scoring import is_cjk

FORM = (
    "Context:\n{context}\n\nAnswer the question with a short phrase from the context.\nQuestion: {question}"
)
FORM_ZH = "资料：\n{context}\n\n请根据资料用简短的话回答问题。\n问题：{question}"


@dataclass(frozen=True)
class _Attribute:
    """Something a subject has: sentences with {s} and {v}, questions with {s}, and where values come from."""

    sentences: tuple[str, ...]
    questions: tuple[str, ...]
    values: tuple[str, ...]  # with {n} for a number, {p} for a person, {o} for a place


_ENGLISH = (
    _Attribute(
        ("{s} weighs {v}.", "With its {v}, {s} is heavier than it looks.", "The weight of {s} is {v}."),
        ("How heavy is {s}?", "What does {s} weigh?", "What is the weight of {s}?"),
        ("{n} grams", "{n} kilograms", "{n} tonnes"),
    ),
    _Attribute(
        ("{s} costs {v}.", "Whoever wants {s} pays {v}.", "The price of {s} is {v}, tax included."),
        ("What is the price of {s}?", "How much does {s} cost?", "What do I have to pay for {s}?"),
        ("{n} euros", "{n} dollars", "{n} crowns"),
    ),
    _Attribute(
        ("{s} was founded by {v}.", "It was {v} who started {s}.", "{v} is the founder of {s}."),
        ("Who founded {s}?", "By whom was {s} started?", "Who is the founder of {s}?"),
        ("{p}",),
    ),
    _Attribute(
        ("{v} looks after {s}.", "The person in charge of {s} is {v}.", "{s} is run by {v}."),
        ("Who is in charge of {s}?", "Who looks after {s}?", "Who runs {s}?"),
        ("{p}",),
    ),
    _Attribute(
        ("{s} comes from {v}.", "{s} is made in {v}.", "Everything about {s} began in {v}."),
        ("Where does {s} come from?", "Where is {s} made?", "What is the home of {s}?"),
        ("{o}",),
    ),
    _Attribute(
        ("{s} is painted {v}.", "The colour of {s} is {v}.", "From afar one sees the {v} of {s}."),
        ("What colour is {s}?", "In which colour is {s} painted?", "Which colour does {s} have?"),
        ("crimson", "turquoise", "ochre", "violet", "olive green", "silver", "peach", "navy blue", "copper"),
    ),
    _Attribute(
        ("{s} dates from {v}.", "In {v}, {s} was shown for the first time.", "{s} has existed since {v}."),
        ("Since when has {s} existed?", "From which year is {s}?", "When was {s} first shown?"),
        ("18{n}", "19{n}", "20{n}"),
    ),
    _Attribute(
        ("{s} must be checked every {v}.", "Every {v}, somebody inspects {s}."),
        ("How often must {s} be checked?", "At what interval is {s} inspected?"),
        ("{n} days", "{n} weeks", "{n} months"),
    ),
    _Attribute(
        ("{s} is made of {v}.", "For {s} only {v} is used.", "The material of {s} is {v}."),
        ("What is {s} made of?", "Which material is used for {s}?", "Of what does {s} consist?"),
        ("birch wood", "felt", "brass", "slate", "recycled glass", "clay", "bamboo", "cork", "granite"),
    ),
    _Attribute(
        ("The nickname of {s} is {v}.", "Among friends {s} is called {v}."),
        ("What is the nickname of {s}?", "What is {s} called among friends?"),
        ("Old Bessie", "the Duchess", "Thunder", "Little Owl", "Grumble", "the Captain", "Pebble", "Sunday"),
    ),
    _Attribute(
        ("{s} has room for {v}.", "Up to {v} fit into {s}.", "{s} can take {v}."),
        ("How many does {s} have room for?", "How much fits into {s}?", "What can {s} take at most?"),
        ("{n} people", "{n} boxes", "{n} litres", "{n} books"),
    ),
    _Attribute(
        ("The guarantee on {s} runs for {v}.", "{s} is guaranteed for {v}."),
        ("How long is the guarantee on {s}?", "For what time is {s} guaranteed?"),
        ("{n} years", "{n} months"),
    ),
)
_CHINESE = (
    _Attribute(
        ("{s}重{v}。", "{s}的重量是{v}。"), ("{s}有多重？", "{s}的重量是多少？"), ("{n}克", "{n}公斤"),
    ),
    _Attribute(("{s}的价格是{v}。", "买{s}要花{v}。"), ("{s}多少钱？", "{s}的价格是多少？"), ("{n}元",)),
    _Attribute(("{s}由{v}创办。", "{s}的创办人是{v}。"), ("谁创办了{s}？", "{s}的创办人是谁？"), ("{p}",)),
    _Attribute(("{s}的负责人是{v}。", "{v}负责{s}。"), ("谁负责{s}？", "{s}的负责人是谁？"), ("{p}",)),
    _Attribute(("{s}在{v}。", "{s}位于{v}。"), ("{s}在哪里？", "{s}位于什么地方？"), ("{o}",)),
    _Attribute(
        ("{s}是{v}的。", "{s}的颜色是{v}。"), ("{s}是什么颜色？", "{s}的颜色是什么？"),
        ("橙红色", "天蓝色", "墨绿色", "银灰色", "米黄色", "紫色", "咖啡色"),
    ),
    _Attribute(
        ("{s}建于{v}。", "{s}始于{v}。"), ("{s}是哪一年开始的？", "{s}建于哪一年？"),
        ("19{n}年", "20{n}年"),
    ),
    _Attribute(("{s}每{v}检查一次。",), ("{s}多久检查一次？", "{s}的检查间隔是多长？"), ("{n}天", "{n}周")),
    _Attribute(
        ("{s}是用{v}做的。", "{s}的材料是{v}。"), ("{s}是用什么做的？", "{s}的材料是什么？"),
        ("竹子", "黄铜", "陶土", "软木", "花岗岩", "羊毛毡"),
    ),
    _Attribute(("{s}最多容纳{v}。",), ("{s}最多容纳多少？", "{s}能容纳多少？"), ("{n}人", "{n}升")),
)  # fmt: skip
_ONSETS = "B Br D Dr F G Gr H K L M N P R S St T Tr V W"
_MIDDLES = "a e i o u ai ea or un el an ir"
_ENDS = "lm nd rk sk ven ton ley by mark dale stow wick rin lo ra"
_FIRST = "Ada Bela Cora Dario Enzo Fenna Goran Hedda Ivo Jonas Kaja Leon Mira Nils Olga Pavel Rosa Sven Tilda"
_THINGS = "lamp bakery bridge museum clock ferry garden robot choir tower radio cheese kite library tram"
_SURNAMES_ZH, _GIVEN_ZH = "赵钱孙李周吴郑王冯陈褚卫", "安宁远舟书岚明川若溪晨"
_PLACES_ZH, _THINGS_ZH = "东南西北青白云石", "桥馆塔灯厂船园钟"
_SENTENCES = 4
_REWORDED = 0.5


def exercise(subjects: Sequence[str], chinese: bool, rng: random.Random) -> tuple[str, str]:
    """A prompt and its answer, half of them about the `subjects` of training: reading wins over memory."""
    attributes = _CHINESE if chinese else _ENGLISH
    known = [subject for subject in subjects if is_cjk(subject) == chinese]
    subject = rng.choice(known) if known and rng.random() < 0.5 else _subject(chinese, rng)
    asked, *others = rng.sample(attributes, _SENTENCES - 1)
    value = _value(asked, chinese, rng)
    told = [(asked, subject, value)]
    told += [(one, subject, _value(one, chinese, rng)) for one in others[:1]]
    other = _subject(chinese, rng)
    told += [(one, other, _value(one, chinese, rng)) for one in (asked, others[-1])]
    rng.shuffle(told)
    lines = [_sentence(one, name, what, rng) for one, name, what in told]
    question = rng.choice(asked.questions).format(s=subject)
    if rng.random() < _REWORDED:
        question = reword(question, rng) + ("？" if chinese else "?")
    form = FORM_ZH if chinese else FORM
    return form.format(context="\n".join(lines), question=question), value + ("。" if chinese else ".")


def _sentence(attribute: _Attribute, subject: str, value: str, rng: random.Random) -> str:
    text = rng.choice(attribute.sentences).format(s=subject, v=value)
    return text[0].upper() + text[1:]


def _value(attribute: _Attribute, chinese: bool, rng: random.Random) -> str:
    if chinese:
        person = rng.choice(_SURNAMES_ZH) + "".join(rng.sample(_GIVEN_ZH, 2))
        place = "".join(rng.sample(_PLACES_ZH, 2)) + rng.choice("镇村湾山")
    else:
        person, place = f"{rng.choice(_FIRST.split())} {_name(rng)}", _name(rng)
    return rng.choice(attribute.values).format(n=rng.randint(11, 98), p=person, o=place)


def _subject(chinese: bool, rng: random.Random) -> str:
    if chinese:
        return "".join(rng.sample(_GIVEN_ZH, 2)) + rng.choice(_THINGS_ZH)
    return f"the {_name(rng)} {rng.choice(_THINGS.split())}"


def _name(rng: random.Random) -> str:
    return rng.choice(_ONSETS.split()) + rng.choice(_MIDDLES.split()) + rng.choice(_ENDS.split())
