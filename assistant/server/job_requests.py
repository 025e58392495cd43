"""The body of a fine-tuning request: OpenAI's options, each with its effect, a warning, or a refusal.

What OpenAI's API does not have stands under "imprint" in `extra_body`: the tuning method and its strength.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from assistant.server.fields import refuse_unsupported
from assistant.server.openai_errors import UnsupportedParameterError

_SEEDS = 1 << 32
_NEUTRAL: dict[str, tuple[Any, ...]] = {"integrations": ([],)}
Auto = Literal["auto"]


def _auto(value: object) -> object:
    return "auto" if value is None else value


class Hyperparameters(BaseModel):
    """OpenAI's three; "auto" leaves each to the recipe."""

    model_config = ConfigDict(extra="forbid")

    n_epochs: Annotated[Annotated[int, Field(ge=1, le=50)] | Auto, BeforeValidator(_auto)] = "auto"
    batch_size: Annotated[Annotated[int, Field(ge=1)] | Auto, BeforeValidator(_auto)] = "auto"
    learning_rate_multiplier: Annotated[
        Annotated[float, Field(gt=0, le=100)] | Auto, BeforeValidator(_auto)
    ] = "auto"


class SupervisedMethod(BaseModel):
    """The settings of supervised fine-tuning."""

    model_config = ConfigDict(extra="forbid")

    hyperparameters: Hyperparameters | None = None


class FineTuningMethod(BaseModel):
    """How OpenAI's API names a method."""

    model_config = ConfigDict(extra="ignore")

    type: str = "supervised"
    supervised: SupervisedMethod | None = None

    @model_validator(mode="after")
    def _is_supervised(self) -> "FineTuningMethod":
        if self.type != "supervised":
            raise UnsupportedParameterError(
                "method.type", f"method.type: {self.type!r} is not supported by this server; 'supervised' is."
            )
        return self


class ImprintOptions(BaseModel):
    """Imprint's own options of a job."""

    model_config = ConfigDict(extra="forbid")

    method: str = "lora"
    strength: Literal["gentle", "normal", "strong"] = "normal"


class JobRequest(BaseModel):
    """The body of a request for a new job."""

    model_config = ConfigDict(extra="ignore")

    model: str
    training_file: str
    validation_file: str | None = None
    suffix: str | None = None
    seed: Annotated[int, BeforeValidator(lambda value: 0 if value is None else value)] = 0
    metadata: dict[str, str] | None = None
    hyperparameters: Hyperparameters | None = None
    method: FineTuningMethod | None = None
    imprint: ImprintOptions = ImprintOptions()

    @model_validator(mode="before")
    @classmethod
    def _all_options_have_an_effect(cls, value: Any) -> Any:
        if isinstance(value, dict):
            refuse_unsupported(value, list(cls.model_fields), _NEUTRAL, set())
        return value

    @property
    def settings(self) -> Hyperparameters:
        """The hyper-parameters, from whichever of the two places holds them."""
        supervised = self.method.supervised if self.method else None
        inner = supervised.hyperparameters if supervised else None
        return inner or self.hyperparameters or Hyperparameters()

    @property
    def epochs(self) -> int | None:
        """The number of epochs; None leaves it to the recipe."""
        return None if self.settings.n_epochs == "auto" else self.settings.n_epochs

    @property
    def usable_seed(self) -> int:
        """The seed, of any size, as one that a run takes."""
        return self.seed % _SEEDS

    def warnings(self) -> list[str]:
        """What is kept with the job and has no effect on it, in sentences."""
        found = []
        if self.settings.batch_size != "auto":
            found.append(
                f"batch_size {self.settings.batch_size} is not used: how many examples are computed at once "
                "follows from the memory there is, and does not change the result."
            )
        if self.validation_file:
            found.append(
                "validation_file is kept with the job and not asked: the report asks every example in other "
                "wordings, and questions that were not taught."
            )
        return found
