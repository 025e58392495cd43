"""What can go wrong while tuning, as one small tree.

TuningError
├── ModelError        a base model that cannot be opened or used
├── ExampleError      examples that cannot be read or learned from
├── MethodError       a method or a hyper-parameter that does not fit
├── JobError          a job that cannot be started, found or continued
└── CheckpointError   a checkpoint that cannot be read, or does not belong to this base
"""


class TuningError(Exception):
    """Anything `tuning` refuses to do; the message says what was asked, what was found and what to do."""


class ModelError(TuningError):
    """A base model cannot be opened or used."""


class ExampleError(TuningError):
    """Examples cannot be read, or there is nothing in them to learn."""


class MethodError(TuningError):
    """A tuning method, or one of its hyper-parameters, does not fit."""


class JobError(TuningError):
    """A job cannot be started, found, cancelled or continued."""


class CheckpointError(TuningError):
    """A checkpoint cannot be read, does not belong to this base, or changes nothing."""


def reason_of(error: BaseException) -> str:
    """What an error that nobody foresaw says of itself, on one line, without the name of its class."""
    said = " ".join(str(error).split())
    return (said if len(said) <= 300 else f"{said[:300]}…") or "it gave no reason"
