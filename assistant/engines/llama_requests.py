"""What a request to llama.cpp says of sampling, and what its events say of the tokens written. It sends nothing."""

from typing import Any

from assistant.engines.base import SamplingParams
from assistant.engines.pieces import Piece, TokenLogprob

WORD = "yes"  # what a llama.cpp must write where its grammar allows nothing else
_LEAST = -9999.0  # llama.cpp's logarithm of nothing is a number that few readers of JSON expect


def sampling(params: SamplingParams, vocabulary: int, window: int) -> dict[str, Any]:
    """The part of a request that means what the parameters mean in torch. Raises UnsupportedOptionError."""
    seed = {} if params.seed is None else {"seed": params.seed % 2**32}
    plain = {
        "temperature": params.temperature,
        "top_p": params.top_p,
        "samplers": ["temperature", "top_p"],
        **seed,
    }
    return plain if params.is_plain else {**plain, **_more(params, vocabulary, window)}


def grammar_proof(ids: list[int]) -> dict[str, Any]:
    """A request that any model answers with `WORD`, if its grammar is followed."""
    return {
        "prompt": ids,
        "n_predict": 8,
        "temperature": 0.0,
        "grammar": f'%llguidance {{}}\nstart: "{WORD}"\n',
    }


def piece(event: dict[str, Any]) -> str:
    """The text of an event, with its tokens where it tells them."""
    text = str(event["content"])
    tokens = event.get("completion_probabilities")
    return text if tokens is None else Piece(text, [_token(one) for one in tokens])


def _more(params: SamplingParams, vocabulary: int, window: int) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if params.frequency_penalty or params.presence_penalty:
        options |= {
            "samplers": ["penalties", "temperature", "top_p"],
            "repeat_last_n": window,  # all of it; -1 is refused by newer releases
            "frequency_penalty": params.frequency_penalty,
            "presence_penalty": params.presence_penalty,
        }
    if params.logit_bias:
        params.refuse_tokens_from(vocabulary)
        options["logit_bias"] = [[token, bias] for token, bias in params.logit_bias.items()]
    if params.top_logprobs is not None:
        options["n_probs"] = max(1, params.top_logprobs)
    if params.shape is not None:
        options["grammar"] = params.shape.grammar
    return options


def _token(found: dict[str, Any]) -> TokenLogprob:
    return TokenLogprob(
        str(found["token"]),
        max(float(found["logprob"]), _LEAST),
        tuple(found.get("bytes", ())),
        tuple(_token(one) for one in found.get("top_logprobs", ())),
    )
