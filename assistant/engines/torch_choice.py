"""Between an engine's parameters and torch's choice of tokens: grammar, penalties, biases, likelihoods."""

from collections.abc import Generator
from typing import Any

from assistant.engines.base import SamplingParams
from assistant.engines.pieces import Piece, TokenLogprob
from assistant.engines.stops import Returning
from tuning.models.base_model import BaseModel
from tuning.models.choice import Choice, Likelihood
from tuning.models.stream_end import StreamEnd


def choice_of(base: BaseModel, params: SamplingParams) -> Choice | None:
    """What chooses the tokens; None where temperature and top-p are enough. Raises UnsupportedOptionError."""
    if params.is_plain:
        return None
    params.refuse_tokens_from(len(base.tokenizer))
    return Choice(
        base.tokenizer,
        base.stop_ids,
        params.temperature,
        params.top_p,
        params.seed,
        params.frequency_penalty,
        params.presence_penalty,
        params.logit_bias,
        params.top_logprobs,
        params.shape.grammar if params.shape else "",
    )


def sampling(params: SamplingParams, choice: Choice | None) -> dict[str, Any]:
    """The options of `BaseModel.generate` and `Batch.join`."""
    return {
        "max_new_tokens": params.max_new_tokens,
        "temperature": params.temperature,
        "top_p": params.top_p,
        "seed": params.seed,
        "pick": choice and choice.pick,
        "beginning": params.shape.beginning if params.shape else "",
    }


def shaped(
    pieces: Generator[str, None, StreamEnd], params: SamplingParams, choice: Choice | None
) -> Generator[str, None, StreamEnd]:
    """The pieces with the beginning and the end of their shape, and with their tokens where those were asked for."""
    source = Returning(pieces)
    if params.shape and params.shape.beginning:
        yield params.shape.beginning
    for piece in source:
        yield with_token(piece, choice)
    if params.shape and params.shape.ending and source.returned.finish_reason == "stop":
        yield params.shape.ending
    return source.returned


def with_token(piece: str, choice: Choice | None) -> str:
    """A piece with the tokens since the last one, where those were asked for."""
    if choice is None or choice.top_logprobs is None:
        return piece
    return Piece(piece, [_token(choice, found) for found in choice.take_likelihoods()])


def _token(choice: Choice, found: Likelihood) -> TokenLogprob:
    top = tuple(_plain(choice, token, logprob) for token, logprob in found.top)
    written = _plain(choice, found.token, found.logprob)
    return TokenLogprob(written.text, written.logprob, written.bytes, top)


def _plain(choice: Choice, token: int, logprob: float) -> TokenLogprob:
    text = choice.tokenizer.decode([token], clean_up_tokenization_spaces=False)
    return TokenLogprob(str(text), logprob, tuple(str(text).encode()))
