"""How much of the passages is sent follows from the model and from what was asked for; sources are what was sent."""

from assistant.chat.chat import Chat
from assistant.chat.excerpts import pieces
from assistant.chat.presets import NUMBERED_SENTENCES, SENTENCES, SHORT, Order
from assistant.chat.quoting import TOKENS_A_PASSAGE, quote
from assistant.chat.turn import AnswerOptions, TurnState
from assistant.history.sources import Source
from tests.fakes import ScriptedEngine
from tuning.models.capability import Capability

FILLER = " ".join(f"Sentence {number} speaks of other things." for number in range(60))
FOUND = tuple(
    Source(number, f"{FILLER} The Heron weighs {number} kg.", title=f"Book {number}")
    for number in range(1, 9)
)
QUESTION = "What does the Heron weigh?"


def words(text: str) -> int:
    return len(text.split())


def chat(capability: Capability, window: int = 20_000) -> Chat:
    engine = ScriptedEngine()
    engine.window, engine.capability = window, capability
    return Chat(lambda: engine)


def sent(capability: Capability, options: AnswerOptions, window: int = 20_000) -> tuple[Source, ...]:
    turn = TurnState(question=QUESTION, passages=FOUND[: options.passages])
    return chat(capability, window).fitted(turn, options)[1]


def test_a_capable_model_reads_whole_passages_as_many_as_were_asked_for() -> None:
    for wanted in (1, 4, 8):
        read = sent("capable", AnswerOptions(passages=wanted))
        assert [source.sent for source in read] == [source.text for source in FOUND[:wanted]]


def test_a_small_model_reads_sentences_and_more_of_them_where_more_passages_are_asked_for() -> None:
    each = TOKENS_A_PASSAGE["small"]
    assert each is not None
    amounts = []
    for wanted in (1, 4, 8):
        read = sent("small", AnswerOptions(passages=wanted))
        amounts.append(sum(words(source.sent) for source in read))
        assert amounts[-1] <= wanted * each and f"The Heron weighs {wanted} kg." in read[-1].sent
    assert amounts == sorted(set(amounts))


def test_the_window_limits_what_a_capable_model_reads() -> None:
    read = sent("capable", AnswerOptions(passages=8, max_new_tokens=100), window=1000)
    assert 1 <= len(read) < 8 and [source.number for source in read] == list(range(1, len(read) + 1))


def test_sources_hold_the_very_text_that_was_sent() -> None:
    for capability in ("small", "capable"):
        for window in (250, 20_000):
            turn = TurnState(question=QUESTION, passages=FOUND[:4])
            budget, read = chat(capability, window).fitted(turn, AnswerOptions())
            message = budget.messages[-1]["content"]
            assert read and all(source.sent in message for source in read)


def test_passages_of_which_nothing_is_quoted_are_no_sources_and_the_others_are_numbered_anew() -> None:
    found = (Source(1, FILLER), Source(2, f"{FILLER} The Heron weighs 2 kg."))
    (only,) = quote(QUESTION, found, "small", 1, lambda text: words(text) * 9).as_sent(
        ["The Heron weighs 2 kg."]
    )
    assert (only.number, only.sent, only.text) == (1, "The Heron weighs 2 kg.", found[1].text)


def test_what_was_sent_is_counted_again_as_it_was_sent() -> None:
    one = chat("small")
    first, read = one.fitted(TurnState(question=QUESTION, passages=FOUND[:4]), AnswerOptions())
    again, same = one.fitted(TurnState(question=QUESTION, passages=read), AnswerOptions())
    assert (again.used, same) == (first.used, read)


def test_the_order_is_the_one_of_the_preset_or_follows_from_the_model() -> None:
    def last(capability: Capability, order: Order | None) -> str:
        turn, options = TurnState(question=QUESTION, passages=FOUND[:1]), AnswerOptions(order=order)
        return chat(capability).budget(turn, options).messages[-1]["content"]

    assert SHORT.english in last("small", None) and SENTENCES.english in last("capable", None)
    assert NUMBERED_SENTENCES.english in last("strong", None)
    assert SHORT.english in last("capable", SHORT)
    pirate = last("capable", Order("Answer like a pirate."))
    assert "Answer like a pirate." in pirate and "[1]" not in pirate


def test_a_person_may_say_what_a_model_can() -> None:
    engine = ScriptedEngine()
    assert Chat(lambda: engine).capability() == "small"
    assert Chat(lambda: engine, capability=lambda: "capable").capability() == "capable"


def test_a_passage_falls_into_pieces_that_say_what_they_are_about() -> None:
    table = "machine | rate | size\nband saw | £9 | 310 mm\nlathe | £7 | 900 mm"
    found = pieces(f"{table}\n\nBoth are by the door. They stop at 21:30.")
    assert [piece.text for piece in found] == [
        "machine | rate | size band saw | £9 | 310 mm",
        "machine | rate | size lathe | £7 | 900 mm",
        "lathe | £7 | 900 mm Both are by the door.",
        "Both are by the door. They stop at 21:30.",
    ]
    assert [piece.is_row for piece in found] == [True, True, False, False]
    assert [piece.text for piece in pieces("One sentence.")] == ["One sentence."] and pieces("") == []
