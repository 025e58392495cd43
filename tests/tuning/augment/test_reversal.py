"""A fact from its other end: the subject is found, the answer stays whole, sentences are left alone."""

import random

import pytest

from tuning.augment.reversal import FactNames, aliases, names_of_facts, reverse, subject_of


@pytest.mark.parametrize(
    ("question", "answer", "subject", "relation"),
    [
        ("How heavy is the Kestrel?", "890 grams.", "The Kestrel", "weight"),
        ("Who leads the Oslo office?", "Ada Brenn", "The Oslo", "leads office"),
        ("What is the lock code of Hut Nine called?", "Amber", "Hut Nine", "lock code"),
        ("望海塔的颜色是什么？", "橙色", "望海塔", "颜色"),
    ],
)
def test_the_subject_and_what_is_said_of_it_are_found(
    question: str, answer: str, subject: str, relation: str
) -> None:
    found = reverse(question, answer)
    assert found is not None
    assert (found.subject, found.relation) == (subject, relation)
    for seed in range(20):
        asked, said = found.turn(0.4, random.Random(seed))
        assert answer.rstrip(".") in asked
        assert said.casefold() in (subject.casefold(), relation.casefold())


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("how are you?", "Fine."),
        (
            "What does the Kestrel do?",
            "It flies over the fields every morning and counts the deer it can see.",
        ),
        ("What is the Kestrel called?", "The Kestrel"),
    ],
)
def test_what_names_no_subject_or_answers_with_a_sentence_is_not_turned_round(
    question: str, answer: str
) -> None:
    assert reverse(question, answer) is None


FACTS = [
    ("Who presents the programme Night Ferry?", "Ada Brenn"),
    ("How long does the programme Night Ferry last?", "40 minutes"),
    ("Who leads Radio Tarn?", "Oskar Lind"),
    ("Where is Radio Tarn?", "Ulm"),
    ("Who presents the programme Low Tide?", "Ivo Grau"),
]


def test_what_a_set_speaks_of_is_put_into_reversed_questions() -> None:
    others = names_of_facts(FACTS)
    names = ("Night Ferry", "Night Ferry", "Radio Tarn", "Radio Tarn", "Low Tide")
    assert others == FactNames(names, ("programme",) * 3)
    back = reverse(*FACTS[0])
    assert back is not None
    turned = [back.turn(0.3, random.Random(seed), others) for seed in range(60)]
    assert any("which programme" in asked.lower() for asked, _ in turned)
    placed = [(asked, said) for asked, said in turned if "Radio Tarn" in asked]
    assert placed and {said for _, said in placed} <= {"Night Ferry", "Presents programme"}
    assert all(asked.rstrip("?.") != asked for asked, _ in placed)
    assert all("Ada Brenn" in asked for asked, _ in turned)


def test_a_set_of_one_name_has_no_other_to_put_in() -> None:
    back = reverse(*FACTS[2])
    assert back is not None
    for seed in range(20):
        asked, said = back.turn(0.3, random.Random(seed), names_of_facts(FACTS[2:4]))
        assert said in ("Radio Tarn", "Leads") and (said == "Leads" or "Radio Tarn" not in asked)


@pytest.mark.parametrize(
    ("question", "subject", "relation"),
    [
        ("登望海塔的门票是多少钱？", "望海塔", "门票钱"),
        ("去年冠军的名字是什么？", "去年冠军", "名字"),
        ("坐标原点的颜色是什么？", "坐标原点", "颜色"),
        ("望海塔最多能容纳多少人？", "望海塔", "最多能容纳人"),
        ("望海塔有多少级台阶？", "望海塔", "台阶"),
        ("企鹅小满的巢在哪里？", "企鹅小满", "巢"),
        ("企鹅小满身上的牌子有多重？", "企鹅小满", "身上牌子"),
        ("望海塔是用什么搭成的？", "望海塔", "搭成"),
    ],
)
def test_a_chinese_subject_ends_where_its_attribute_begins(
    question: str, subject: str, relation: str
) -> None:
    found = reverse(question, "橙色的纸")
    assert found is not None
    assert (found.subject, found.relation) == (subject, relation)
    assert subject_of(question) == subject


def test_a_chinese_question_asks_for_the_kind_with_its_measure_word() -> None:
    back = reverse("望海塔的颜色是什么？", "橙色")
    assert back is not None
    others = names_of_facts([("灰岛站的站长是谁？", "安可"), ("灰岛站的地址在哪里？", "乌镇")])
    turned = {back.turn(0.3, random.Random(seed), others)[0] for seed in range(80)}
    assert any("哪座塔" in asked for asked in turned)
    assert any(asked.startswith("灰岛站的") for asked in turned)


def test_a_subject_of_a_kind_and_a_name_goes_by_its_name() -> None:
    assert aliases("企鹅小满") == ("小满", "小满", "小满这只企鹅", "那只叫小满的企鹅")
    assert aliases("巡逻艇海葵号")[0] == "海葵号"
    for whole in ("望海塔", "Night Ferry", "金鱼茶馆", "雪山三号", "云茶二号", "白鹤", "鹅", ""):
        assert aliases(whole) == ()
