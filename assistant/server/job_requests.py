"""The body of a fine-tuning request: OpenAI's options, each with its effect or a refusal.

What OpenAI's API does not have stands under "imprint" in `extra_body`: the tuning method and its strength, and for
methods that learn from preferences the reward model.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from assistant.server.fields import Metadata, filled, refuse_unsupported
from assistant.server.openai_errors import UnsupportedParameterError
from tuning.checkpoints.manifest import REMOTE

_SEEDS = 1 << 32
_NEUTRAL: dict[str, tuple[Any, ...]] = {"integrations": ([],)}
Auto = Literal["auto"]


class Hyperparameters(BaseModel):
    """OpenAI's three; "auto" leaves each to the recipe."""

    model_config = ConfigDict(extra="forbid")

    n_epochs: Annotated[Annotated[int, Field(ge=1, le=50)] | Auto, filled("auto")] = "auto"
    batch_size: Annotated[Annotated[int, Field(ge=1)] | Auto, filled("auto")] = "auto"
    learning_rate_multiplier: Annotated[Annotated[float, Field(gt=0, le=100)] | Auto, filled("auto")] = "auto"


class SupervisedMethod(BaseModel):
    """The settings of supervised fine-tuning."""

    model_config = ConfigDict(extra="forbid")

    hyperparameters: Hyperparameters | None = None


class DpoHyperparameters(Hyperparameters):
    """Those of `dpo`: beta holds the model to the one before."""

    beta: Annotated[Annotated[float, Field(gt=0, le=100)] | Auto, filled("auto")] = "auto"


class DpoMethod(BaseModel):
    """The settings of learning from preferences."""

    model_config = ConfigDict(extra="forbid")

    hyperparameters: DpoHyperparameters | None = None


class FineTuningMethod(BaseModel):
    """How OpenAI's API names a method."""

    model_config = ConfigDict(extra="ignore")

    type: str = "supervised"
    supervised: SupervisedMethod | None = None
    dpo: DpoMethod | None = None

    @model_validator(mode="before")
    @classmethod
    def _is_known(cls, value: Any) -> Any:
        given = value.get("type", "supervised") if isinstance(value, dict) else "supervised"
        if given not in ("supervised", "dpo"):
            raise UnsupportedParameterError(
                "method.type",
                f"method.type: {given!r} is not supported by this server; 'supervised' and 'dpo' are.",
            )
        for name in value if isinstance(value, dict) else ():
            if name not in ("type", given) and value[name] is not None:
                raise UnsupportedParameterError(
                    f"method.{name}", f"method.{name}: the method's type is {given!r}. Leave it out."
                )
        return value

    @property
    def settings(self) -> Hyperparameters | None:
        """The hyper-parameters under the type's own name."""
        chosen = self.dpo if self.type == "dpo" else self.supervised
        return chosen.hyperparameters if chosen else None


class ImprintOptions(BaseModel):
    """Imprint's own options of a job."""

    model_config = ConfigDict(extra="forbid")

    method: str | None = None  # lora, or dpo where the method's type is that
    strength: Literal["gentle", "normal", "strong"] = "normal"
    reward: str | None = None  # the checkpoint of a reward model, for ppo and grpo


class JobRequest(BaseModel):
    """The body of a request for a new job."""

    model_config = ConfigDict(extra="ignore")

    model: str
    training_file: str
    validation_file: str | None = None
    suffix: str | None = None
    seed: Annotated[int, filled(0)] = 0
    metadata: Metadata | None = None
    hyperparameters: Hyperparameters | None = None
    method: FineTuningMethod | None = None
    imprint: Annotated[ImprintOptions, filled(ImprintOptions())] = ImprintOptions()

    @model_validator(mode="before")
    @classmethod
    def _all_options_have_an_effect(cls, value: Any) -> Any:
        if isinstance(value, dict):
            refuse_unsupported(value, list(cls.model_fields), _NEUTRAL, set())
        return value

    @model_validator(mode="after")
    def _check(self) -> "JobRequest":
        inner = self.method.settings if self.method else None
        if inner and self.hyperparameters and inner != self.hyperparameters:
            raise UnsupportedParameterError(
                "hyperparameters",
                "hyperparameters: others stand under method. Give them once, under method.",
                "invalid_value",
            )
        return self

    @property
    def settings(self) -> Hyperparameters:
        """The hyper-parameters, from whichever of the two places holds them."""
        inner = self.method.settings if self.method else None
        return inner or self.hyperparameters or Hyperparameters()

    @property
    def tuning_method(self) -> str:
        """The name in Imprint's table of methods."""
        if self.imprint.method == REMOTE:
            raise UnsupportedParameterError(
                "imprint.method",
                f"imprint.method: {REMOTE!r} sends the file to a service elsewhere, which whoever keeps this server "
                "decides with `imprint tune`.",
            )
        is_dpo = self.method is not None and self.method.type == "dpo"
        return self.imprint.method or ("dpo" if is_dpo else "lora")

    @property
    def beta(self) -> float | None:
        """How closely the model is held to the one before; None leaves it to the recipe."""
        beta = getattr(self.settings, "beta", "auto")
        return None if beta == "auto" else float(beta)

    @property
    def epochs(self) -> int | None:
        """The number of epochs; None leaves it to the recipe."""
        return None if self.settings.n_epochs == "auto" else self.settings.n_epochs

    @property
    def examples_per_step(self) -> int | None:
        """OpenAI's batch size; None leaves it to the recipe."""
        return None if self.settings.batch_size == "auto" else self.settings.batch_size

    @property
    def usable_seed(self) -> int:
        """The seed, of any size, as one that a run takes."""
        return self.seed % _SEEDS
