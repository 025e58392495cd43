"""What can go wrong in tuning.

    TuningError
    ├── ModelError         a base model cannot be found, opened or trusted
    ├── ExampleError       examples cannot be read, or there is nothing to learn from
    ├── MethodError        a method is unknown, or its options do not fit
    ├── JobError           a job cannot be started, found, cancelled or resumed
    └── CheckpointError    a checkpoint is missing, broken, in use, or does nothing

A message says what was asked, what was found and what to do.
"""


class TuningError(Exception):
    """Anything that a person asked of tuning and that could not be done."""


class ModelError(TuningError):
    """A base model cannot be found, opened or trusted."""


class ExampleError(TuningError):
    """Examples cannot be read, or there is nothing to learn from."""


class MethodError(TuningError):
    """A method is unknown, or its options do not fit."""


class JobError(TuningError):
    """A job cannot be started, found, cancelled or resumed."""


class CheckpointError(TuningError):
    """A checkpoint is missing, broken, in use, or does nothing."""
