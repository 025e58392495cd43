"""Opening a model's folder: tokenizer, end tokens; without the bars and remarks of libraries."""

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

from transformers import (
    AutoConfig,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging as transformers_logging

from tuning.errors import ModelError
from tuning.models.model_code import may_run_code
from tuning.models.template_process import PROCESS, is_known, render_chat

# What transformers raises for the files of a model that are damaged, or were never meant for it.
UNREADABLE = (OSError, ValueError, LookupError, TypeError, AttributeError, ImportError, RuntimeError)
_is_quiet = ContextVar("is_quiet", default=False)  # of a thread: see `quiet_loading`
_BarHook = Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]


def read_tokenizer_and_config(
    name: str, folder: Path, home: Path
) -> tuple[PreTrainedTokenizerBase, PreTrainedConfig]:
    """The tokenizer and the configuration in a model's folder. Raises ModelError."""
    allowed = may_run_code(name, folder, home)
    with quiet_loading():
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=allowed)
            config = AutoConfig.from_pretrained(folder, trust_remote_code=allowed)
        except UNREADABLE as error:
            raise ModelError(f"The model {name!r} in {folder} cannot be opened: {error}") from error
    if not tokenizer.chat_template:
        raise ModelError(without_template(name))
    if not is_known(tokenizer):
        PROCESS.begin()
    return tokenizer, config


def without_template(name: str) -> str:
    """What is said of a model that cannot chat."""
    return f"The model {name!r} has no chat template, so it cannot chat. Choose its instruct version."


def declared_stop_ids(folder: Path) -> list[int]:
    """The stop tokens of generation_config.json, where there is one."""
    path = folder / "generation_config.json"
    return (
        _as_list(json.loads(path.read_text(encoding="utf-8")).get("eos_token_id")) if path.is_file() else []
    )


def _as_list(value: int | list[int] | None) -> list[int]:
    return [value] if isinstance(value, int) else list(value or [])


def stop_ids_of(
    name: str, config: PreTrainedConfig, tokenizer: PreTrainedTokenizerBase, declared: Sequence[int]
) -> tuple[int, tuple[int, ...]]:
    """The token that ends an answer in this template, and every token that ends a generation."""
    stops = [*declared, *_as_list(getattr(config, "eos_token_id", None))]
    if tokenizer.eos_token_id is not None:
        stops.append(int(tokenizer.eos_token_id))
    mark = "0"
    turn = [{"role": "user", "content": "a"}, {"role": "assistant", "content": mark}]
    text = render_chat(name, tokenizer, turn)
    if mark not in text:
        raise ModelError(f"The chat template of {name!r} leaves the answer out. Choose another model.")
    after = tokenizer(text[text.rindex(mark) + 1 :], add_special_tokens=False)["input_ids"]
    special = [token for token in after if token in tokenizer.all_special_ids or token in stops]
    if not special and not stops:
        raise ModelError("The model names no token that ends an answer, so it would never stop.")
    end = special[0] if special else stops[0]
    return end, tuple(dict.fromkeys([end, *stops]))


@contextmanager
def quiet_loading() -> Iterator[None]:
    """Inside, this thread draws no progress bar of transformers and logs only its errors.

    Other threads, and transformers' verbosity, stay as they are: a model is opened while other things go on.
    """
    _filter_by_thread()
    token = _is_quiet.set(True)
    try:
        yield
    finally:
        _is_quiet.reset(token)


@cache
def _filter_by_thread() -> None:
    """Install, once, what asks `_is_quiet` in the thread that would draw a bar or log a message."""
    before: _BarHook | None = None

    def bar(factory: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        if _is_quiet.get():
            options = {**options, "disable": True}
        return before(factory, args, options) if before else factory(*args, **options)

    def passes(record: logging.LogRecord) -> bool:
        return record.levelno >= logging.ERROR or not _is_quiet.get()

    before = transformers_logging.set_tqdm_hook(bar)
    for handler in transformers_logging.get_logger().handlers:
        handler.addFilter(passes)
