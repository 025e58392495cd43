"""Facts in sentences: the answer is a part of the sentence, and unsure sentences state nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.curation.feedback import confirms, corrected_answer
from assistant.curation.followups import needs_context
from assistant.curation.secrets import secret_in
from assistant.language.facts import facts_in
from assistant.language.paraphrase import rephrase
from assistant.language.text import base_form, sentences, third_person


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


@given(st.text(max_size=300))
def test_no_text_breaks_the_rules_and_answers_are_always_quoted(text: str) -> None:
    for fact in facts_in(text):
        assert (
            fact.answer.rstrip(".").casefold() in " ".join(fact.sentence.split()).casefold()
            or len(fact.answer) < 4
        )
    rephrase(text)
    secret_in(text)
    needs_context(text)
    confirms(text)
    corrected_answer(text, "What is it?")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("The password is hunter2.", "a password or key"),
        ("my wifi password: Sommer!2024", "a password or key"),
        ("密码是abc123", "a password or key"),
        ("use sk-abcdefghijklmnopqrstuv", "an access key"),
        ("4111 1111 1111 1111", "a card number"),
        ("DE89 3704 0044 0532 0130 00", "an account number"),
        ("postgres://me:geheim@host/db", "a password in an address"),
        ("-----BEGIN RSA PRIVATE KEY-----", "a private key"),
    ],
)
def test_secrets_are_found(text: str, kind: str) -> None:
    assert secret_in(text) == kind


@pytest.mark.parametrize(
    "text",
    [
        "What is the password?",
        "密码是什么？",
        "The key is kept in the drawer.",
        "The token is called Otter.",
        "Our password is changed every week.",
        "The article code is HT-119.",
        "The extension of the support line is 7306.",
        "https://example.com/a/very/long/path/to/some/page",
        "1234 5678 9012 3456",
    ],
)
def test_what_is_no_secret_is_let_through(text: str) -> None:
    assert secret_in(text) == ""


@pytest.mark.parametrize(
    ("question", "leans"),
    [
        ("And how heavy is it?", True),
        ("What about the Osprey?", True),
        ("它有多重？", True),
        ("那鹭呢？", True),
        ("How heavy is the Heron?", False),
        ("What is the Heron and how heavy is it?", False),
        ("What time is it?", False),
        ("托尔瓦有多重？", False),
    ],
)
def test_a_question_that_leans_on_the_turn_before_is_known(question: str, leans: bool) -> None:
    assert needs_context(question) is leans


@pytest.mark.parametrize(
    "text",
    [
        "Thanks!",
        "actually I like it",
        "No thanks",
        "no problem",
        "Sorry, what?",
        "不用了，谢谢",
        "其实我想问别的",
    ],
)
def test_a_no_that_corrects_nothing_is_not_a_correction(text: str) -> None:
    assert corrected_answer(text, "How long does it fly?") is None


def test_sentences_keep_numbers_and_abbreviations_whole() -> None:
    assert sentences("It takes 38.5 hours. Dr. Renn agrees! 是的。好") == [
        "It takes 38.5 hours.",
        "Dr. Renn agrees!",
        "是的。",
        "好",
    ]


@pytest.mark.parametrize("verb", ["reach", "carry", "weigh", "fly", "have", "do", "go", "fix", "pass", "use"])
def test_verb_forms_go_both_ways(verb: str) -> None:
    assert base_form(third_person(verb)) == verb


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
