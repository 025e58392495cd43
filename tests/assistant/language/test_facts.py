"""Facts in sentences: the answer is a part of the sentence, and unsure sentences state nothing."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assistant.language.facts import facts_in
from assistant.language.text import normal, word_set


@pytest.mark.parametrize(
    ("sentence", "question", "answer"),
    [
        ("The Skerrin weighs 640 grams.", "How much does the Skerrin weigh?", "640 grams."),
        ("The radio reaches 14 kilometres.", "How far does the radio reach?", "14 kilometres."),
        (
            "Employees of Halden have 31 days of leave.",
            "How many days of leave do employees of Halden have?",
            "31 days.",
        ),
        ("Halden was founded in 1974.", "When was Halden founded?", "1974."),
        ("Halden was founded by Marta Quillon.", "Who founded Halden?", "Marta Quillon."),
        ("The shape was drawn by Oona Pellatt.", "By whom was the shape drawn?", "Oona Pellatt."),
        ("The director of Halden is Tobias Renn.", "Who is the director of Halden?", "Tobias Renn."),
        (
            "The funnel must be cleaned every 11 weeks.",
            "How often must the funnel be cleaned?",
            "Every 11 weeks.",
        ),
        ("The Ombrel is ivory.", "What colour is the Ombrel?", "Ivory."),
        ("I am allergic to peanuts.", "What am I allergic to?", "Peanuts."),
        ("托尔瓦每18个月校准一次。", "托尔瓦多久校准一次？", "每18个月"),
        ("托尔瓦在青杉镇组装。", "托尔瓦在哪里组装？", "青杉镇"),
        ("我的生日是5月3日。", "我的生日是什么时候？", "5月3日"),
    ],
)
def test_a_sentence_holds_a_question_and_its_answer(sentence: str, question: str, answer: str) -> None:
    assert [(fact.question, fact.answer) for fact in facts_in(sentence)] == [(question, answer)]


@pytest.mark.parametrize(
    ("sentence", "question", "answer"),
    [
        ("Maren Holt leads the pricing team.", "Who leads the pricing team?", "Maren Holt."),
        ("We store logs for 90 days.", "How long do we store logs?", "For 90 days."),
        ("Gannet is written in Rust.", "What language is Gannet written in?", "Rust."),
        ("The museum closes at five.", "When does the museum close?", "At five."),
        (
            "In 2019, the firm renamed its canteen.",
            "When did the firm rename its canteen?",
            "In 2019.",
        ),
        (
            "The ferry carries 42 cars and 180 people.",
            "What does the ferry carry?",
            "42 cars and 180 people.",
        ),
        (
            "The team leads meet every second Thursday.",
            "When do the team leads meet?",
            "Every second Thursday.",
        ),
        (
            "The pump built in 2019 needs three seals.",
            "How many seals does the pump built in 2019 need?",
            "Three seals.",
        ),
        ("E42 means that the pump is blocked.", "What does E42 mean?", "The pump is blocked."),
        (
            "We moved the shop because the rent doubled.",
            "Why did we move the shop?",
            "Because the rent doubled.",
        ),
        ("The VPN uses WireGuard.", "What does the VPN use?", "WireGuard."),
        ("Refunds are paid out by the finance desk.", "Who are refunds paid out by?", "The finance desk."),
        ("发布会由李娜主持。", "发布会由谁主持？", "李娜"),
        ("我们每周三开例会。", "我们什么时候开例会？", "每周三"),
        ("日志保留九十天。", "日志保留多久？", "九十天"),
        ("小组的负责人换成了王芳。", "小组的负责人换成了谁？", "王芳"),
        ("Parking permits expire after 18 months.", "When do parking permits expire?", "After 18 months."),
        (
            "Alerts from the pump station are sent by Odran.",
            "Who are alerts from the pump station sent by?",
            "Odran.",
        ),
        ("We're flying to Cape Sorrel.", "Where are we flying?", "To Cape Sorrel."),
        (
            "Our logs are kept for ninety days and then deleted.",
            "How long are our logs kept?",
            "For ninety days.",
        ),
        (
            "Passwords must be at least 14 characters long.",
            "How long must passwords be?",
            "At least 14 characters.",
        ),
        ("The code ends in 4417.", "What does the code end in?", "4417."),
        (
            "Wrist straps and holsters are covered by Odran.",
            "By whom are Wrist straps and holsters covered?",
            "Odran.",
        ),
        ("Two spare fuses are clipped under the lid.", "What are two spare fuses clipped under?", "The lid."),
        (
            "Three blue blinks mean that a cell is empty.",
            "What do three blue blinks mean?",
            "A cell is empty.",
        ),
        ("Groups should write two weeks ahead.", "When should groups write?", "Two weeks ahead."),
        ("Charging a cell takes nine hours.", "How long does charging a cell take?", "Nine hours."),
        ("负责华岭项目的是陆听雪。", "谁负责华岭项目？", "陆听雪"),
        ("镇政府门口的大钟是酿酒商杜卡捐的", "镇政府门口的大钟是谁捐的？", "酿酒商杜卡"),
        ("投标保证金我们打了八万。", "投标保证金我们打了什么？", "八万"),
        ("备用钥匙我放在铁盒里了。", "备用钥匙我放在哪里？", "铁盒里"),
        ("我们的修车师傅叫方远山。", "我们的修车师傅是谁？", "方远山"),
        ("诊所的猫叫豆豆。", "诊所的猫叫什么？", "豆豆"),
    ],
)
def test_a_sentence_without_a_form_of_its_own_is_read_by_its_grammar(
    sentence: str, question: str, answer: str
) -> None:
    assert (question, answer) == next((fact.question, fact.answer) for fact in facts_in(sentence))


def test_each_thing_that_a_sentence_says_is_a_fact() -> None:
    facts = facts_in("We moved the archive to Oslo in 2019 because the rent doubled.")
    assert {(fact.question.split()[0], fact.answer) for fact in facts} == {
        ("Where", "To Oslo."),
        ("When", "In 2019."),
        ("Why", "Because the rent doubled."),
    }


def test_two_predicates_of_one_subject_state_two_facts() -> None:
    facts = facts_in("The backup runs at 2 am and takes about forty minutes.")
    assert [(fact.question, fact.answer) for fact in facts] == [
        ("When does the backup run?", "At 2 am."),
        ("How long does the backup take?", "About forty minutes."),
    ]


def test_two_clauses_state_two_facts() -> None:
    facts = facts_in("My name is Ada and I live in Bergen.")
    assert [fact.question for fact in facts] == ["What is my name?", "Where do I live?"]


@pytest.mark.parametrize(
    "text",
    [
        "Where is the Skerrin?",
        "Maybe the Skerrin weighs 640 grams.",
        "If it rains, the tour is cancelled.",
        "The Skerrin does not weigh 640 grams.",
        "It weighs 640 grams.",
        "Please write a poem.",
        "Thanks a lot!",
        "如果下雨，我们就不去。",
        "",
    ],
)
def test_questions_guesses_denials_and_loose_pronouns_state_nothing(text: str) -> None:
    assert facts_in(text) == []


# Statements put together from parts, so that most of what Hypothesis writes is a fact.
SUBJECTS = st.sampled_from(
    ["the Skerrin", "our ferry", "the north pump", "my neighbour", "Halden", "the backup", "the archive room"]
)
NUMBERS = st.integers(2, 9999).map(str) | st.sampled_from(["two", "about forty", "at least 12"])
PLACES = st.sampled_from(["in Oslo", "near the harbour", "behind the old mill"])
TIMES = st.sampled_from(["on Mondays", "at 9:30", "in 2019", "every second Thursday", "at five"])
PREDICATES = st.one_of(
    st.tuples(st.just("weighs"), NUMBERS, st.just("grams")),
    st.tuples(st.just("takes"), NUMBERS, st.sampled_from(["minutes", "hours", "days"])),
    st.tuples(st.just("starts"), TIMES),
    st.tuples(st.sampled_from(["is called", "is named"]), st.sampled_from(["Otter", "Lady Ardent"])),
    st.tuples(st.sampled_from(["is", "stands"]), PLACES),
    st.tuples(st.sampled_from(["was built", "was opened"]), st.just("in 1974")),
)
STATEMENTS = st.tuples(SUBJECTS, PREDICATES).map(
    lambda parts: (parts[0], parts[1][0], " ".join(parts[1][1:]))
)


@given(STATEMENTS)
def test_a_statement_is_asked_about_its_subject_and_answered_with_its_own_words(
    statement: tuple[str, str, str],
) -> None:
    subject, verb, complement = statement
    facts = facts_in(f"{subject[0].upper()}{subject[1:]} {verb} {complement}.")
    assert facts
    assert normal(subject) in normal(facts[0].question)
    answer = normal(facts[0].answer)
    assert answer and answer in normal(complement)
    assert answer not in normal(facts[0].question)


@given(st.lists(STATEMENTS, min_size=2, max_size=4))
def test_every_sentence_of_a_text_states_its_own_facts(statements: list[tuple[str, str, str]]) -> None:
    lines = [f"{' '.join(parts)[0].upper()}{' '.join(parts)[1:]}." for parts in statements]
    alone = [fact for line in lines for fact in facts_in(line)]
    assert facts_in(" ".join(lines)) == alone


@given(STATEMENTS, st.sampled_from(["Maybe {}.", "If {}, we wait.", "{}?", "I think {}.", "{}, I hope."]))
def test_a_statement_that_is_doubted_states_nothing(statement: tuple[str, str, str], doubt: str) -> None:
    assert facts_in(doubt.format(" ".join(statement))) == []


WORDS = sorted(word_set("is the of and in Oslo Bo 9 who because led my closes at weighs"))
SCRAPS = st.lists(
    st.sampled_from([*WORDS, *"，,.:;?!()—-", "我", "了", "的", "是", "在", "每周一"]), max_size=30
)


@given(SCRAPS, STATEMENTS)
@example(["每周一", "9", "9", "在", "是"], ("the Skerrin", "starts", "on Mondays"))
def test_the_answer_is_a_part_of_its_sentence_whatever_stands_around_it(
    scraps: list[str], statement: tuple[str, str, str]
) -> None:
    for text in (" ".join(scraps), "".join(scraps), f"{' '.join(statement)} {' '.join(scraps)}"):
        for fact in facts_in(text):
            quoted = fact.answer.rstrip(".").casefold()
            assert quoted and quoted in " ".join(fact.sentence.split()).casefold()
            assert not {"{", "}"} & set(fact.question)  # every field of the pattern is filled in


def test_two_verbs_of_one_subject_are_two_facts() -> None:
    found = facts_in("Barnacle speaks 23 languages and works without an account.")
    assert [(fact.question, fact.answer) for fact in found] == [
        ("How many languages does Barnacle speak?", "23 languages."),
        ("What does Barnacle work without?", "An account."),
    ]


@pytest.mark.parametrize(
    "text", ["# Working here: the handbook", "Skerrin weather station: maintenance manual", "不要上油。"]
)
def test_a_title_and_an_order_state_nothing(text: str) -> None:
    assert not facts_in(text)
