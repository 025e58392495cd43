"""What retention asks is never replayed while training."""

from tuning.augment.replay_prompts import REPLAY_PROMPTS
from tuning.evaluation.retention_questions import RETENTION
from tuning.scoring import normalise


def test_replayed_prompts_and_retention_questions_are_disjoint() -> None:
    replayed = {normalise(prompt) for prompt in REPLAY_PROMPTS}
    asked = {normalise(question) for question, _ in RETENTION}
    assert len(asked) == len(RETENTION) >= 200 and len(replayed) >= 200
    assert not replayed & asked
