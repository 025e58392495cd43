"""The configuration of one tuning run: one dataclass, JSON both ways. `None` means "the recipe decides"."""

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from tuning.errors import MethodError

Strength = Literal["gentle", "normal", "strong"]
PreferenceLoss = Literal["sigmoid", "ipo", "length-normalised"]
DEFAULT_BASE = "smollm2-135m-instruct"  # with the adapter that was tuned here: see docs/skills.md
PLAIN_BASE = "smollm2-135m-plain"  # the same without it
_KEYS = {"update_scale": "kept"}  # what a field is called in files, where that is not its name


@dataclass(frozen=True)
class TuneConfig:
    """The configuration of a run. Only the first four fields are shown to a person; the rest has defaults.

    Raises MethodError where a value cannot be used, naming the field and quoting the value.
    """

    method: str = "lora"  # a key of METHODS
    name: str | None = None  # the checkpoint's name; None: chosen when it is stored
    parent: str | None = None  # the checkpoint this round continues from
    strength: Strength = "normal"  # how much is spent on learning against how much is protected
    base: str = DEFAULT_BASE  # a catalogue name, a folder or a Hugging Face id
    device: str | None = None  # "cpu", "cuda", "mps"; None: the best there is
    seed: int = 0
    system_prompt: str = ""  # put before examples that have no system message of their own
    send_to: str | None = None  # of `openai`: the address that the examples may be sent to

    epochs: int | None = None  # passes over the examples
    examples_per_step: int | None = (
        None  # learned at once; also pairs, for methods that learn from preferences
    )
    learning_rate: float | None = None
    rank: int | None = None  # low-rank methods
    alpha: int | None = None  # low-rank methods: scale of the update, in units of rank
    dropout: float = 0.0  # low-rank methods
    rslora: bool = False  # low-rank: scale by alpha / sqrt(rank) (arXiv 2312.03732)
    dora: bool = False  # low-rank: magnitude and direction apart (arXiv 2402.09353)
    layers: Literal["all", "mlp", "attention"] = "mlp"  # low-rank methods: which linear layers
    virtual_tokens: int | None = None  # prefix and prompt methods: learned positions
    tokens_per_step: int | None = None  # how many tokens are computed at once; fewer take less memory
    checkpointing: bool = False  # recompute activations: less memory, a third slower (not for prefixes)

    noise: bool = True  # other wordings of the question while training
    word_dropout: float | None = None  # share of the question's words left out
    chaff: float | None = None  # how often words that say nothing are put into a question
    synonyms: float | None = None  # share of the words with a synonym that are exchanged while training
    reversals: float | None = None  # how often a fact is asked from its other end; 0: never
    update_scale: float | None = None  # share of a low-rank change that is kept at the end; `kept` in files
    reading: float | None = None  # exercises in reading a context, a step; 0: none
    replay: int | None = None  # general prompts a step that must keep the base's answer; 0: none
    replay_weight: float | None = None  # weight of their KL to the base against the examples' loss
    early_stop: bool = True  # stop when held-out wordings of every example are known
    validation: float = 0.0  # share of the examples kept out; the state with the least loss on them is kept
    patience: int = 3  # passes without a better validation loss before an early stop
    processes: int = 1  # that train together: one a GPU
    strategy: str = "ddp"  # of several processes: a key of STRATEGIES, or an Accelerate configuration file

    beta: float | None = None  # preference methods: how closely the policy is held to the reference
    loss: PreferenceLoss = "sigmoid"  # of dpo
    sft_weight: float | None = None  # of dpo and kto: weight of the good answers' own loss beside it
    label_smoothing: float = 0.0  # of dpo: share of the votes that may be the wrong way round
    adapter: Literal["lora", "p-tuning-v2"] | None = (
        None  # preference methods: what learns; None: as the parent
    )
    reward: str | None = (
        None  # ppo and grpo: the checkpoint of the reward model; the others: who judges at the end
    )
    samples: int | None = None  # ppo and grpo: answers to each prompt, a step
    answer_tokens: int | None = None  # ppo and grpo: of an answer, at most

    def __post_init__(self) -> None:
        self._check(self.strength in get_args(Strength), "strength", "gentle, normal or strong")
        self._check(self.layers in ("all", "mlp", "attention"), "layers", "all, mlp or attention")
        for name in (
            "epochs", "examples_per_step", "rank", "alpha", "virtual_tokens", "tokens_per_step", "samples",
            "answer_tokens",
        ):  # fmt: skip
            value = getattr(self, name)
            self._check(value is None or value >= 1, name, "a whole number from 1")
        self._check(
            self.learning_rate is None or 0 < self.learning_rate <= 1, "learning_rate", "above 0, up to 1"
        )
        self._check(self.reading is None or self.reading >= 0, "reading", "0 or more")
        self._check(self.replay is None or self.replay >= 0, "replay", "0 or more")
        self._check(self.replay_weight is None or self.replay_weight >= 0, "replay_weight", "0 or more")
        self._check(0 <= self.dropout < 1, "dropout", "from 0 to below 1")
        self._check(
            self.word_dropout is None or 0 <= self.word_dropout < 1, "word_dropout", "from 0 to below 1"
        )
        for name in ("reversals", "synonyms", "chaff", "update_scale"):
            value = getattr(self, name)
            self._check(value is None or 0 <= value <= 1, name, "from 0 to 1")
        self._check(0 <= self.validation < 1, "validation", "from 0 to below 1")
        self._check(self.beta is None or 0 < self.beta <= 100, "beta", "above 0, up to 100")
        self._check(self.sft_weight is None or 0 <= self.sft_weight <= 100, "sft_weight", "from 0 to 100")
        self._check(self.loss in get_args(PreferenceLoss), "loss", "sigmoid, ipo or length-normalised")
        self._check(0 <= self.label_smoothing < 0.5, "label_smoothing", "from 0 to below 0.5")
        self._check(self.adapter in (None, "lora", "p-tuning-v2"), "adapter", "lora or p-tuning-v2")
        for name in ("patience", "processes"):
            self._check(getattr(self, name) >= 1, name, "a whole number from 1")
        self._check(0 <= self.seed < 2**32, "seed", "from 0 to 2**32 - 1")

    def _check(self, holds: bool, field: str, wanted: str) -> None:
        if not holds:
            raise MethodError(f"{field} must be {wanted}, and is {getattr(self, field)!r}.")

    def to_dict(self) -> dict[str, Any]:
        """Every field, as JSON types."""
        return {_KEYS.get(name, name): value for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "TuneConfig":
        """The configuration `to_dict` wrote. Raises MethodError for a field it does not know."""
        names = {_KEYS.get(field.name, field.name): field.name for field in fields(cls)}
        unknown = sorted(values.keys() - names.keys())
        if unknown:
            raise MethodError(f"A tuning configuration has no field {unknown[0]!r}.")
        return cls(**{names[key]: value for key, value in values.items()})
