"""Arms over a file of questions: figures, resuming, side by side, the picture and the report."""

import json
import re
import threading
from pathlib import Path
from typing import Any

import pytest

from assistant.chat.chat import Chat
from assistant.chat.turn import AnswerOptions, Done
from assistant.compare.answer_cache import AnswerCache
from assistant.compare.questions import Question, read_questions
from assistant.compare.results import Comparison
from assistant.compare.runner import compare
from assistant.compare.side_by_side import side_by_side
from assistant.compare.variants import Variant, parse_variants
from assistant.errors import CompareError
from assistant.reports.chart import draw, save
from assistant.reports.evaluation_html import render, write_report
from tests.fakes import ScriptedEngine
from tuning.data.examples import Message

ARMS = (Variant("base"), Variant("halden", checkpoint="halden"))
QUESTIONS = (
    Question("How heavy is the Skerrin?", ("640 grams",), {"fact": "weight", "slice": "taught"}),
    Question("What does the Skerrin weigh?", ("640 grams",), {"fact": "weight", "slice": "taught"}),
    Question("Who wrote Hamlet?", ("Shakespeare",), {"slice": "general"}),
)


class Knowing(ScriptedEngine):
    """Knows Hamlet, and the weight through the checkpoint; may go away after some answers."""

    def __init__(self, goes_after: int = 10**9) -> None:
        super().__init__(self._say)
        self.left = goes_after

    def _say(self, messages: list[Message]) -> str:
        if self.left == 0:
            raise RuntimeError("the machine went down")
        self.left -= 1
        if "Hamlet" in messages[-1]["content"]:
            return "William Shakespeare."
        return "640 grams" if self.checkpoints_asked[-1] else "2 kg"


def run(engine: ScriptedEngine, arms: tuple[Variant, ...] = ARMS, **options: Any) -> Comparison:
    return compare(Chat(lambda: engine), engine, QUESTIONS, arms, AnswerOptions(), **options)


def test_figures_are_those_of_the_answers() -> None:
    result = run(Knowing()).to_dict()
    base, halden = result["arms"]["base"], result["arms"]["halden"]
    assert (base["accuracy"], halden["accuracy"]) == (pytest.approx(1 / 3), 1.0)
    assert (halden["exact_match"], halden["f1"]) == (pytest.approx(2 / 3), pytest.approx((1 + 1 + 2 / 3) / 3))
    assert result["slices"]["taught"]["base"]["correct"] == 0
    assert result["slices"]["general"]["halden"]["n"] == 1
    (pair,) = result["pairs"]
    assert (pair["arms"], pair["only_first"], pair["only_second"]) == (["base", "halden"], 0, 2)
    assert result["rows"][0]["fact"] == "weight" and result["rows"][0]["expected"] == ["640 grams"]


def test_questions_about_one_fact_count_as_one_in_the_interval() -> None:
    answers = run(Knowing()).answers
    together = Comparison(QUESTIONS, ARMS, answers).figures("base", [0, 1])["confidence_interval"]
    apart = tuple(Question(q.text, q.answers) for q in QUESTIONS)
    alone = Comparison(apart, ARMS, answers).figures("base", [0, 1])["confidence_interval"]
    assert together[1] > alone[1]


def test_an_interrupted_comparison_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.compare.runner._AT_ONCE", 1)
    cache = tmp_path / "answers.jsonl"
    with pytest.raises(RuntimeError, match="went down"):
        run(Knowing(goes_after=4), cache=AnswerCache(cache))
    cache.write_text(cache.read_text() + '{"key": "half')
    engine = Knowing()
    resumed = run(engine, cache=AnswerCache(cache))
    assert len(engine.prompts) == 2
    assert [row["answers"] for row in resumed.rows()] == [row["answers"] for row in run(Knowing()).rows()]


def test_another_checkpoint_or_prompt_is_asked_anew(tmp_path: Path) -> None:
    cache = AnswerCache(tmp_path / "answers.jsonl")
    run(Knowing(), cache=cache)
    engine = Knowing()
    run(engine, arms=(Variant("other", checkpoint="other"),), cache=cache)
    assert len(engine.prompts) == 3


def test_progress_counts_every_arm() -> None:
    heard: list[tuple[str, int, int]] = []
    run(Knowing(), on_answered=lambda arm, done, total: heard.append((arm, done, total)))
    assert heard == [("base", 3, 6), ("halden", 6, 6)]


def test_a_stopped_comparison_says_so() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(CompareError, match="stopped before"):
        run(Knowing(), stop=stop)


def test_side_by_side_streams_each_arm() -> None:
    engine = Knowing()
    events = list(side_by_side(Chat(lambda: engine), "How heavy?", ARMS, AnswerOptions()))
    answers = {arm.name: event.answer for arm, event in events if isinstance(event, Done)}
    assert answers == {"base": "2 kg", "halden": "640 grams"}
    with pytest.raises(CompareError, match="two to 4 arms, and 1"):
        list(side_by_side(Chat(lambda: engine), "How heavy?", ARMS[:1], AnswerOptions()))


def test_arms_are_read_by_name() -> None:
    arms = parse_variants("base, rag ,夜莺, 夜莺+rag", ["夜莺"])
    assert [arm.name for arm in arms] == ["base", "rag", "夜莺", "夜莺+rag"]
    assert [arm.how(AnswerOptions()).memory for arm in arms] == ["nothing", "documents", "checkpoint", "both"]
    assert parse_variants("夜莺 +rag", ["夜莺"])[0] == arms[3]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [(" , ", "No arm in"), ("base,base", "named twice"), ("x+rag", "Arm 'x\\+rag' names no checkpoint")],
)
def test_arms_that_cannot_be_are_refused(text: str, sentence: str) -> None:
    with pytest.raises(CompareError, match=sentence):
        parse_variants(text, ["halden"])


def test_questions_keep_what_else_their_line_holds(tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_bytes('\ufeff{"question": "多重？", "answers": ["640 克"], "slice": "中文"}\n\n'.encode())
    (question,) = read_questions(file)
    assert (question.text, question.about) == ("多重？", {"slice": "中文"})


@pytest.fixture
def result() -> dict[str, Any]:
    spoiled = Question('<script>alert("x")</script> 夜莺 & co?', ("640 grams",), {"slice": "<b>bold"})
    engine = Knowing()
    return compare(Chat(lambda: engine), engine, [*QUESTIONS, spoiled], ARMS, AnswerOptions()).to_dict()


def test_the_picture_is_drawn_with_every_script(result: dict[str, Any], tmp_path: Path) -> None:
    result["arms"]["夜莺"] = result["arms"].pop("halden")
    figure = draw(result["arms"], {}, "夜莺: right answers")
    path = save(figure, tmp_path / "reports" / "q.png")
    assert path.read_bytes().startswith(b"\x89PNG") and list(path.parent.iterdir()) == [path]


def test_the_report_needs_nothing_else_and_runs_nothing(result: dict[str, Any], tmp_path: Path) -> None:
    figure = draw(result["arms"], result["slices"], "Report")
    path = write_report(result, figure, "夜莺 <questions>", tmp_path / "report.html")
    text = path.read_text(encoding="utf-8")
    assert "<script" not in text and "&lt;script&gt;" in text and "<b>bold" not in text
    assert not re.search(r'(src|href)="(?!#)', text)
    assert "夜莺 &lt;questions&gt;" in text and "<svg" in text
    assert "McNemar" in text and "640 grams" in text


def test_the_report_has_every_answer(result: dict[str, Any]) -> None:
    text = render(result, draw(result["arms"], {}, "x"), "x")
    assert text.count("✓") == sum(sum(row["correct"].values()) for row in result["rows"])
    assert json.dumps(result) and text.count("<tr>") > len(result["rows"])


def test_an_engine_that_hides_its_identity_is_always_asked(tmp_path: Path) -> None:
    engine = Knowing()
    engine.identity = lambda checkpoint: None  # type: ignore[method-assign]
    cache = AnswerCache(tmp_path / "answers.jsonl")
    run(engine, cache=cache)
    run(engine, cache=cache)
    assert len(engine.prompts) == 12
