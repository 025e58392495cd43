"""What a person or a program noted beside an answer: liked, disliked, or context that is not to be learned.

Each program has its own word: OpenAI's `weight`, axolotl's `train`, LLaMA-Factory's `mask_history`, KTO's `label`,
and the thumbs of chat programs.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from tuning.data.examples import Message

_GOOD = {
    "1", "+1", "good", "like", "liked", "up", "thumbsup", "thumbup", "upvote", "upvoted", "positive", "helpful", "true",
    "yes", "👍",
}  # fmt: skip
_BAD = {
    "-1", "bad", "dislike", "disliked", "down", "thumbsdown", "thumbdown", "downvote", "downvoted", "negative",
    "unhelpful", "nothelpful", "false", "no", "👎",
}  # fmt: skip
_RATINGS = (
    "rating", "annotation", "feedback", "feedbacks", "user_feedback", "userFeedback", "userfeedback", "vote",
    "reaction", "reactions",
    "feedbackScore", "feedbackscore", "feedback_score", "feedback_rating", "score",
)  # fmt: skip
_INSIDE = ("rating", "value", "score", "thumbs", "vote", "reaction", "type")  # of an object that judges
# 0 is a no there; as a rating it says nothing. The columns of a table are read in lower case.
_YES_OR_NO = (
    "feedbackScore",
    "feedbackscore",
    "feedback_score",
    "is_good",
    "liked",
    "accepted",
    "approved",
    "helpful",
)
_JUDGED = tuple(dict.fromkeys((*_RATINGS, *_YES_OR_NO)))
_SKIN_TONES = dict.fromkeys(range(0x1F3FB, 0x1F400))
_LABELS = ("label", "kto_tag")  # of a whole record: TRL's KTO, and LLaMA-Factory's
_LEARNED = ("train", "training", "trainable", "learn", "loss", "train_on_turn")  # false: context only
_MASKED = ("mask", "masked", "ignore", "ignored", "excluded")  # true: context only
_WEIGHTS = ("weight", "loss_weight", "loss_scale")  # OpenAI's, and ms-swift's
_BESIDE = ("metadata", "meta", "extra")  # objects in which programs keep what they note of an answer


def judgement(item: Mapping[str, Any]) -> int:
    """1 where the item says that a person liked it, -1 where disliked, 0 where it says nothing."""
    places = (item, *(found for key in _BESIDE if isinstance(found := item.get(key), Mapping)))
    said = (_verdict(key, place.get(key)) for place in places for key in _JUDGED)
    return next(filter(None, said), 0)


def is_context_only(item: Mapping[str, Any]) -> bool:
    """Whether a message (or a whole record) is marked as not to be learned."""
    return (
        any((weight := _number(item.get(key))) is not None and weight <= 0 for key in _WEIGHTS)
        or any(flag(item.get(key)) is False for key in _LEARNED)
        or any(flag(item.get(key)) is True for key in _MASKED)
        or judgement(item) < 0
        or (item.get("ending") == "context" and judgement(item) == 0)  # in Imprint's own form
    )


def disliked(message: Message) -> Message:
    """The message; an answer as one that somebody disliked."""
    return {**message, "weight": "0", "rating": "-1"} if message["role"] == "assistant" else message


def marked(messages: Sequence[Message], record: Mapping[str, Any]) -> list[Message]:
    """The messages, with what the whole record says of their answers."""
    answers = [index for index, message in enumerate(messages) if message["role"] == "assistant"]
    if is_context_only(record) or any(flag(record.get(key)) is False for key in _LABELS):
        masked = set(answers)
    else:
        masked = set(answers[:-1]) if flag(record.get("mask_history")) else set()
    found = [
        {**message, "weight": "0"} if index in masked else dict(message)
        for index, message in enumerate(messages)
    ]
    is_bad = judgement(record) < 0 or any(flag(record.get(key)) is False for key in _LABELS)
    return [disliked(message) for message in found] if is_bad else found


def _verdict(key: str, value: object) -> int:
    if isinstance(value, Mapping):
        return next((found for inner in _INSIDE if (found := _verdict(inner, value.get(inner)))), 0)
    if isinstance(value, list):  # of several judgements a bad one counts
        return min((found for one in value if (found := _verdict(key, one))), default=0)
    if isinstance(value, bool) or (key in _YES_OR_NO and value in (0, 1, "0", "1")):
        return 1 if flag(value) else -1
    if isinstance(value, int | float):  # above 1 it is of a scale that one value does not tell
        return 1 if value == 1 else -(value < 0)
    if not isinstance(value, str):
        return 0
    word = "".join(letter for letter in value.casefold().translate(_SKIN_TONES) if letter not in " _")
    word = word if word.startswith("-1") else word.replace("-", "")
    return (word in _GOOD) - (word in _BAD)


def flag(value: object) -> bool | None:
    """What a value says as yes or no; None where it says neither."""
    if isinstance(value, str):
        return {"true": True, "false": False, "1": True, "0": False}.get(value.strip().casefold())
    return bool(value) if isinstance(value, int | float) else None


def _number(value: object) -> float | None:
    try:
        return float(value) if isinstance(value, int | float | str) else None
    except ValueError:
        return None
