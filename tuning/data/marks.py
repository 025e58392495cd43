"""What a person or a program noted beside an answer: liked, disliked, or context that is not to be learned.

Each program has its own word: OpenAI's `weight`, axolotl's `train`, LLaMA-Factory's `mask_history`, KTO's `label`,
and the thumbs of chat programs.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from tuning.data.examples import Message

_GOOD = {"1", "+1", "good", "like", "liked", "up", "thumbsup", "thumbup", "upvote", "positive", "true", "yes"}
_BAD = {
    "-1",
    "bad",
    "dislike",
    "disliked",
    "down",
    "thumbsdown",
    "thumbdown",
    "downvote",
    "negative",
    "false",
    "no",
}
_RATINGS = ("rating", "annotation", "feedback", "vote", "feedbackScore", "feedback_score", "score")
# 0 is a no there; as a rating it says nothing.
_YES_OR_NO = ("feedbackScore", "feedback_score", "is_good", "liked", "accepted", "approved", "helpful")
_LABELS = ("label", "kto_tag")  # of a whole record: TRL's KTO, and LLaMA-Factory's
_LEARNED = ("train", "training", "trainable", "loss", "train_on_turn")  # false: context only
_MASKED = ("mask", "masked")  # true: context only


def judgement(item: Mapping[str, Any]) -> int:
    """1 where the item says that a person liked it, -1 where disliked, 0 where it says nothing."""
    keys = dict.fromkeys((*_RATINGS, *_YES_OR_NO))
    return next((found for key in keys if (found := _verdict(key, item.get(key)))), 0)


def is_context_only(item: Mapping[str, Any]) -> bool:
    """Whether a message (or a whole record) is marked as not to be learned."""
    weight = _number(item.get("weight"))
    return (
        (weight is not None and weight <= 0)
        or any(flag(item.get(key)) is False for key in _LEARNED)
        or any(flag(item.get(key)) is True for key in _MASKED)
        or judgement(item) < 0
    )


def marked(messages: Sequence[Message], record: Mapping[str, Any]) -> list[Message]:
    """The messages, with what the whole record says of their answers."""
    answers = [index for index, message in enumerate(messages) if message["role"] == "assistant"]
    if is_context_only(record) or any(flag(record.get(key)) is False for key in _LABELS):
        masked = set(answers)
    else:
        masked = set(answers[:-1]) if flag(record.get("mask_history")) else set()
    return [
        {**message, "weight": "0"} if index in masked else dict(message)
        for index, message in enumerate(messages)
    ]


def _verdict(key: str, value: object) -> int:
    if isinstance(value, Mapping):
        value = value.get("rating", value.get("value", value.get("score")))
    if isinstance(value, bool) or (key in _YES_OR_NO and isinstance(value, int) and value in (0, 1)):
        return 1 if value else -1
    if isinstance(value, int | float):
        return int(value) if value in (1, -1) else 0
    if not isinstance(value, str):
        return 0
    word = "".join(letter for letter in value.casefold() if letter not in " _")
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
