"""JSON with other values in it, and the requests of the HTTP interface."""

import copy
import random
from collections.abc import Iterator
from typing import Any

_ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, -(2**63) - 1, 10**30, 1e308, 1e-320, 0.5),
    *(float("nan"), float("inf"), "", " ", "\x00", "\ud800", "\u202e夜莺🐦", "x" * 5000, "../../etc/passwd"),
    *("1e999", "NaN", "2026-13-45T99:99:99Z", "0001-01-01", "user", "assistant", "system", "\n" * 50),
    *([], {}, [None], [[]], {"": None}, [{}], {"a": {"b": {"c": {}}}}, [0] * 500),
)


def mutated(record: Any, chance: random.Random) -> Any:
    """A copy with one to four places changed: another value, gone, doubled, wrapped, or taken from elsewhere."""
    record = copy.deepcopy(record)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        places = list(_places(record))
        if not places:
            return chance.choice(_ODD)
        within, key = chance.choice(places)
        _change(within, key, places, chance)
    return record


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) of a JSON value."""
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key])


def _change(within: Any, key: Any, places: list[tuple[Any, Any]], chance: random.Random) -> None:
    kind = chance.randrange(8)
    if kind == 0:
        del within[key]
    elif kind == 1:
        within[key] = [within[key]]
    elif kind == 2:
        other, its = chance.choice(places)
        within[key] = copy.deepcopy(other[its])
    elif kind == 3 and isinstance(within, dict):
        within[chance.choice(("", "\x00", f"{key} ", str(key).upper(), "夜莺"))] = within.pop(key)
    elif kind == 4 and isinstance(within, list):
        within[key:key] = [within[key]] * chance.choice((1, 2, 50))
    elif kind == 5:
        within[key] = _deep(chance.choice((2, 20, 400)))
    else:
        within[key] = copy.deepcopy(chance.choice(_ODD))


def _deep(levels: int) -> Any:
    value: Any = "end"
    for level in range(levels):
        value = [value] if level % 2 else {"content": value}
    return value


def requests(file: str) -> list[tuple[str, str, Any]]:
    """Method, path and a body that is right."""
    chat = {
        "model": "scripted",
        "messages": [{"role": "system", "content": "Short."}, {"role": "user", "content": "How heavy?"}],
        "max_tokens": 5,
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 1,
        "stop": ["and"],
        "n": 1,
    }
    parts = {"messages": [{"role": "user", "content": [{"type": "text", "text": "How heavy?"}]}]}
    job = {
        "model": "smollm2-135m-instruct",
        "training_file": file,
        "suffix": "kite",
        "seed": 7,
        "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}},
        "imprint": {"method": "lora", "strength": "gentle"},
    }
    return [
        ("POST", "/v1/chat/completions", chat),
        ("POST", "/v1/chat/completions", {**chat, "stream": True, "stream_options": {"include_usage": True}}),
        ("POST", "/v1/chat/completions", parts),
        ("POST", "/v1/embeddings", {"input": ["a", "b"], "model": "any", "encoding_format": "base64"}),
        ("POST", "/v1/fine_tuning/jobs", job),
        ("POST", "/v1/files", {"purpose": "fine-tune"}),
        ("GET", "/v1/models", None),
        ("GET", f"/v1/files/{file}", None),
        ("GET", f"/v1/files/{file}/content", None),
        ("GET", "/v1/fine_tuning/jobs/20260101", None),
        ("GET", "/v1/fine_tuning/jobs/20260101/events", None),
        ("POST", "/v1/fine_tuning/jobs/20260101/cancel", None),
        ("DELETE", "/v1/files/file-00000000000000000000000000000000", None),
    ]
