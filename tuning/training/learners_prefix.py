"""Learners of the prefix and prompt families: keys and values of every layer, or virtual tokens, before the prompt."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from tuning.distributed.sharding import gathered
from tuning.models.adapters import Adapter, PrefixAdapter
from tuning.models.base_model import BaseModel
from tuning.models.decoding import decode
from tuning.models.prefix import PrefixInput, embeddings_kv, prefix_input


class _OutsideTheBase:
    """What learners share that put nothing into the base: there is nothing to switch on, adjust or take out."""

    @contextmanager
    def on(self) -> Iterator[None]:
        """The base itself is not changed."""
        yield

    def penalty(self) -> Tensor | None:
        """None."""
        return None

    def after_step(self, step: int) -> None:
        """Nothing to do."""

    def scale_update(self, share: float) -> None:
        """Nothing to do: it forgets little as it is."""

    def close(self) -> None:
        """Nothing was put into the base."""


class PrefixLearner(_OutsideTheBase):
    """P-Tuning v2 and cartridges: the weights are keys and values of every layer, begun from a text's."""

    def __init__(self, base: BaseModel, kv: list[Tensor], details: dict[str, Any], frozen: int = 0) -> None:
        self._base, self._details, self._frozen = base, details, frozen
        self._kv = [nn.Parameter(layer.detach().float().clone()) for layer in kv]

    def parameters(self) -> list[nn.Parameter]:
        """One (2, heads, positions, size) a layer."""
        return self._kv

    def prefix(self) -> PrefixInput:
        """The learned keys and values; the first `frozen` positions (attention's sink) take no gradient."""
        cut = self._frozen
        return prefix_input(
            self._base,
            [torch.cat([layer[:, :, :cut].detach(), layer[:, :, cut:]], dim=2) for layer in self._kv],
        )

    def state(self) -> dict[str, Tensor]:
        """The keys and values."""
        return {f"{index:03d}": layer.detach() for index, layer in enumerate(self._kv)}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Restore what `state` returned."""
        with torch.no_grad():
            for index, layer in enumerate(self._kv):
                layer.copy_(state[f"{index:03d}"])

    def adapter(self) -> Adapter:
        """The prefix as it is now, in float32."""
        return PrefixAdapter(tuple(layer.detach().cpu().clone() for layer in self._kv), self._details, {})


class EncodedLearner(_OutsideTheBase):
    """Prefix Tuning (arXiv 2101.00190): virtual tokens, and a network that makes keys and values of them."""

    def __init__(self, base: BaseModel, encoder: nn.Module, details: dict[str, Any]) -> None:
        self._base, self._details = base, details
        self._encoder = encoder.float().to(base.device)

    def parameters(self) -> list[nn.Parameter]:
        """The virtual tokens and the network."""
        return list(self._encoder.parameters())

    def prefix(self) -> PrefixInput:
        """The keys and values the network makes of the virtual tokens."""
        return prefix_input(self._base, self._encoder())

    def state(self) -> dict[str, Tensor]:
        """The virtual tokens and the network."""
        return {name: value.detach() for name, value in self._encoder.state_dict().items()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Restore what `state` returned."""
        self._encoder.load_state_dict(state)

    @torch.no_grad()
    def adapter(self) -> Adapter:
        """The computed keys and values, and the network for a further round."""
        state = {name: value.cpu().clone() for name, value in self.state().items()}
        return PrefixAdapter(tuple(layer.cpu() for layer in self._encoder()), self._details, state)


class PromptLearner(EncodedLearner):
    """Prompt Tuning and P-Tuning: learned embeddings in front of the text, at the input layer only."""

    def prefix(self) -> PrefixInput:
        """The embeddings, as the model reads them."""
        embeddings = self._encoder()
        return PrefixInput(positions=len(embeddings), embeddings=embeddings.to(self._base.dtype))

    @torch.no_grad()
    def adapter(self) -> Adapter:
        """The keys and values that the embeddings make in every layer: chatting needs nothing else."""
        state = {name: value.cpu().clone() for name, value in self.state().items()}
        embeddings = self._encoder()
        details = self._details | {"nearest_words": nearest_words(self._base, embeddings)}
        kv = embeddings_kv(self._base, embeddings.to(self._base.dtype))
        return PrefixAdapter(tuple(layer.float().cpu() for layer in kv), details, state)


class EmbeddingEncoder(nn.Module):
    """Virtual tokens as they are (Prompt Tuning), or through a small network (P-Tuning)."""

    def __init__(self, embeddings: Tensor, width: int | None = None) -> None:
        super().__init__()
        self.embeddings = nn.Parameter(embeddings.detach().float().clone())
        self.network: nn.Module | None = None
        if width is not None:
            hidden = embeddings.shape[1]
            last = nn.Linear(width, hidden)
            nn.init.zeros_(last.weight)  # begins as the text it was initialised from
            nn.init.zeros_(last.bias)
            self.network = nn.Sequential(
                nn.Linear(hidden, width),
                nn.ReLU(),
                nn.Linear(width, width),
                nn.ReLU(),
                last,
            )

    def forward(self) -> Tensor:
        """The embeddings (positions, hidden)."""
        if self.network is None:
            return self.embeddings
        return self.embeddings + self.network(self.embeddings)


class KvEncoder(nn.Module):
    """Prefix Tuning's projection: two layers from virtual tokens to the keys and values of every layer."""

    def __init__(self, embeddings: Tensor, shapes: list[tuple[int, int]], width: int) -> None:
        super().__init__()
        self.embeddings = nn.Parameter(embeddings.detach().float().clone())
        self.network = nn.Sequential(
            nn.Linear(embeddings.shape[1], width),
            nn.Tanh(),
            nn.Linear(width, sum(2 * heads * size for heads, size in shapes)),
        )
        self._shapes = shapes

    def forward(self) -> list[Tensor]:
        """(2, heads, positions, size) for each layer."""
        flat = self.network(self.embeddings)
        widths = [2 * heads * size for heads, size in self._shapes]
        return [
            part.view(len(flat), 2, heads, size).permute(1, 2, 0, 3)
            for part, (heads, size) in zip(flat.split(widths, dim=1), self._shapes, strict=True)
        ]


@torch.no_grad()
def nearest_words(base: BaseModel, embeddings: Tensor, count: int = 3) -> list[list[str]]:
    """For each learned embedding, the tokens of the vocabulary whose embeddings lie nearest (cosine)."""
    table: Any = base.model.get_input_embeddings().weight
    vocabulary = nn.functional.normalize(gathered(table).float(), dim=-1)
    near = (nn.functional.normalize(embeddings.float(), dim=-1) @ vocabulary.T).topk(count).indices
    return [[decode(base.tokenizer, [token]) for token in row] for row in near.tolist()]
