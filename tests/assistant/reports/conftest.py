"""Results that the reports are made of."""

import pytest

from assistant.compare.questions import Question
from assistant.compare.results import EvaluationResult
from tests.assistant.compare.samples import QUESTIONS, KnowingEngine, plan_of, run


@pytest.fixture
def result() -> EvaluationResult:
    """An evaluation with a question that tries to be markup."""
    hostile = Question('<script>alert("x")</script> 夜莺 & co?', ("640 grams",), {"slice": "<b>bold"})
    return run(KnowingEngine(), plan_of([*QUESTIONS, hostile]))
