"""A checkpoint whose weights a service keeps: where it is and what it is called there, in a file of its folder."""

from dataclasses import asdict, dataclass
from pathlib import Path

from tuning.checkpoints.manifest import Checkpoint
from tuning.errors import CheckpointError
from tuning.models.adapter_files import REMOTE_MODEL
from tuning.storage import read_json, write_json


@dataclass(frozen=True)
class RemoteModel:
    """A tuned model at a service."""

    url: str
    model: str
    job: str  # the service's id of the job that made it

    def write(self, folder: Path) -> None:
        """Into the folder of a checkpoint; the key is not part of it."""
        write_json(folder / REMOTE_MODEL, asdict(self))


def remote_model(checkpoint: Checkpoint) -> RemoteModel | None:
    """The model behind a checkpoint; None where its weights are here. Raises CheckpointError."""
    if not checkpoint.is_remote:
        return None
    record = read_json(checkpoint.path / REMOTE_MODEL)
    try:
        return RemoteModel(str(record["url"]), str(record["model"]), str(record["job"]))
    except KeyError as error:
        raise CheckpointError(
            f"The checkpoint {checkpoint.name!r} does not say where its model is: {checkpoint.path / REMOTE_MODEL} is "
            "damaged. Restore or delete it."
        ) from error


def require_weights(checkpoint: Checkpoint, wanted: str) -> None:
    """Raise `CheckpointError` for a checkpoint whose weights a service keeps."""
    if checkpoint.is_remote:
        raise CheckpointError(
            f"Cannot {wanted} {checkpoint.name!r}: its weights are kept by the service that tuned it, and it gives "
            "none away. Choose a checkpoint that was tuned on this machine."
        )
