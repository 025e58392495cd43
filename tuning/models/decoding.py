"""From token ids to text: picking the next token, streaming whole characters, batched greedy answers.

It knows a model only as something that turns ids and a cache into logits: no adapters, no templates.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel, PreTrainedTokenizerBase

from tuning.ops import llama, one_row

Pick = Callable[[Tensor], int]  # logits (vocabulary,) → the next token
_BROKEN = "\ufffd"
_SHARED_AT_LEAST = 8


class TextStream:
    """Token ids in, text out: holds back the bytes of a character until it is whole."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        self._ids: list[int] = []
        self._start = 0  # the decoded context begins here
        self._read = 0  # everything before this was handed out

    def push(self, token: int) -> str:
        """The text this token completes; empty while a character is unfinished."""
        self._ids.append(token)
        piece = self._pending()
        if not piece or piece.endswith(_BROKEN):
            return ""
        self._start, self._read = self._read, len(self._ids)
        return piece

    def flush(self) -> str:
        """What is left at the end, without the bytes of a character that never became whole."""
        piece = self._pending().rstrip(_BROKEN)
        self._start = self._read = len(self._ids)
        return piece

    def _pending(self) -> str:
        known = self._decode(self._ids[self._start : self._read])
        return self._decode(self._ids[self._start :])[len(known) :]

    def _decode(self, ids: list[int]) -> str:
        return decode(self._tokenizer, ids)


def decode(tokenizer: PreTrainedTokenizerBase, ids: list[int]) -> str:
    """The text of the ids, exactly: special tokens left out, no spaces tidied."""
    text = tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return text if isinstance(text, str) else "".join(text)


def generator_of(seed: int | None) -> torch.Generator:
    """What draws the next tokens: the same for the same seed, anew each time without one."""
    generator = torch.Generator()
    if seed is None:
        generator.seed()
    else:
        generator.manual_seed(seed)
    return generator


def sampler(temperature: float, top_p: float, seed: int | None) -> Pick:
    """Chooses tokens as `pick` does, from one source of chance."""
    generator = generator_of(seed)
    return lambda logits: pick(logits, temperature, top_p, generator)


def pick(logits: Tensor, temperature: float, top_p: float, generator: torch.Generator) -> int:
    """The next token from logits (vocabulary,): the best at temperature 0, else sampled."""
    if temperature <= 0:
        return int(logits.argmax())
    scores = torch.softmax(logits.float().cpu() / temperature, dim=-1)
    if top_p < 1:
        ordered, order = scores.sort(descending=True)
        outside = ordered.cumsum(0) - ordered > top_p  # the first token always stays
        scores[order[outside]] = 0
    return int(torch.multinomial(scores, 1, generator=generator))


@torch.inference_mode()
def step(model: PreTrainedModel, ids: list[int], cache: DynamicCache) -> Tensor:
    """The logits (vocabulary,) that follow the ids, given and growing the cache."""
    tokens = torch.tensor([ids], device=model.device)
    known = cache.get_seq_length()
    if llama.supports(model, known + len(ids)):
        return llama.read(model, tokens, torch.arange(known, known + len(ids))[None], cache, None)[0]
    return model(input_ids=tokens, past_key_values=cache, use_cache=True, logits_to_keep=1).logits[0, -1]


class Reader:
    """Reads ids behind a cache: many at once, or one after another in fewer passes where that is possible."""

    def __init__(self, model: PreTrainedModel, cache: DynamicCache) -> None:
        self._model, self._cache = model, cache
        self._row: one_row.OneRow | None = None
        self._may_open = True

    def read(self, ids: list[int]) -> Tensor:
        """The logits (vocabulary,) that follow the ids."""
        if len(ids) == 1 and self._may_open:
            self._row, self._may_open = one_row.open_row(self._model, self._cache), False
        if self._row is not None:
            if len(ids) == 1 and self._row.goes_on:
                return self._row.read(ids[0])
            self._cache, self._row = self._row.cache(), None
        return step(self._model, ids, self._cache)


def common_beginning(prompts: list[list[int]]) -> int:
    """How many ids all prompts begin with, leaving each at least one of its own."""
    first, most = prompts[0], min(map(len, prompts)) - 1
    for place in range(most):
        if any(ids[place] != first[place] for ids in prompts):
            return place
    return most


def likeliest(logits: Tensor) -> Tensor:
    """The best token (rows,) of logits (rows, vocabulary)."""
    return logits.argmax(-1)


def row_sampler(generator: torch.Generator, temperature: float = 1.0) -> Callable[[Tensor], Tensor]:
    """Draws a token (rows,) from logits (rows, vocabulary)."""

    def draw(logits: Tensor) -> Tensor:
        scores = torch.softmax(logits.float().cpu() / temperature, dim=-1)
        return torch.multinomial(scores, 1, generator=generator)[:, 0].to(logits.device)

    return draw


@torch.inference_mode()
def greedy_batch(
    model: PreTrainedModel,
    prompts: list[list[int]],
    cache: DynamicCache,
    stop_ids: tuple[int, ...],
    max_new_tokens: int,
    choose: Callable[[Tensor], Tensor] = likeliest,
) -> list[list[int]]:
    """Each prompt's greedy continuation, or as `choose` has it, without its stop token.

    The cache may hold a prefix (batch 1).
    """
    device, rows = model.device, len(prompts)
    shared = common_beginning(prompts)
    if rows > 1 and shared >= _SHARED_AT_LEAST:  # a system prompt is read once, not once a row
        step(model, prompts[0][:shared], cache)
        prompts = [ids[shared:] for ids in prompts]
    prefix, longest = cache.get_seq_length(), max(map(len, prompts))
    cache.batch_repeat_interleave(rows)
    tokens = torch.full((rows, longest), stop_ids[0], device=device)
    mask = torch.zeros((rows, prefix + longest), dtype=torch.long, device=device)
    mask[:, :prefix] = 1
    for row, ids in enumerate(prompts):
        tokens[row, longest - len(ids) :] = torch.tensor(ids, device=device)
        mask[row, prefix + longest - len(ids) :] = 1
    positions = (prefix + mask[:, prefix:].cumsum(1) - 1).clamp(min=0)
    stops = torch.tensor(stop_ids, device=device)
    answers: list[list[int]] = [[] for _ in prompts]
    alive = list(range(rows))
    for _ in range(max_new_tokens):
        if llama.supports(model, mask.shape[1]):
            logits = llama.read(model, tokens, positions, cache, mask)
        else:
            logits = model(
                input_ids=tokens,
                attention_mask=mask,
                position_ids=positions,
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            ).logits[:, -1]
        best = choose(logits)
        going = ~torch.isin(best, stops)
        for index, token in zip(going.nonzero().flatten().tolist(), best[going].tolist(), strict=True):
            answers[alive[index]].append(token)
        if not bool(going.all()):
            keep = going.nonzero().flatten()
            if not len(keep):
                break
            alive = [alive[index] for index in keep.tolist()]
            cache.batch_select_indices(keep)
            best, mask, positions = best[keep], mask[keep], positions[keep]
        tokens = best[:, None]
        mask = torch.cat([mask, mask.new_ones((len(mask), 1))], dim=1)
        positions = positions[:, -1:] + 1
    return answers
