"""Which checkpoint an engine is asked for by name, and why it cannot answer with it. Loads nothing."""

from assistant.errors import EngineError
from tuning.checkpoints.manifest import Checkpoint
from tuning.checkpoints.registry import Registry
from tuning.errors import CheckpointError


def find_checkpoint(registry: Registry, name: str, model: str, sha256: str) -> Checkpoint:
    """The checkpoint of this name that answers over the open model. Raises EngineError."""
    try:
        checkpoint = registry.get(name)
    except CheckpointError as error:
        raise EngineError(str(error)) from error
    if checkpoint.base_sha256 != sha256 and checkpoint.base == model:
        raise EngineError(
            f"Checkpoint {name!r} was tuned from an earlier version of {model}, whose weights were others. "
            "Tune it again from its examples, or choose another checkpoint."
        )
    if checkpoint.base_sha256 != sha256:
        raise EngineError(
            f"Checkpoint {name!r} was tuned from {checkpoint.base}, but {model} is open. "
            f"Choose {checkpoint.base} as the model, or another checkpoint."
        )
    if checkpoint.is_reward_model:
        raise EngineError(
            f"Checkpoint {name!r} is a reward model: it scores answers and writes none. Choose another checkpoint."
        )
    return checkpoint
