"""What can go wrong in the assistant. Every message says what was asked, what was found and what to do.

AssistantError
├── BackupError          a backup that cannot be written, read or restored
├── SettingsError        a setting that cannot be used, by name and value
├── ConversationError    the store of conversations, or a conversation or message that is not there
├── PresetError          a preset that cannot be read, saved or found
├── PromptTooLongError   a question that does not fit the model's window
├── NothingToLearnError  no example could be made of what was given
├── NoteError            a note that cannot be kept or found
├── PreferenceError      preferences that cannot be kept, exported or learned from
├── EngineError          the model behind the chat
│   └── UnsupportedOptionError  an option of a request that this model or engine cannot follow
└── CompareError         a questions file or an arm that cannot be compared
"""

from knowledge.errors import KnowledgeError, disk_problem
from tuning.errors import TuningError


class AssistantError(Exception):
    """The root: catch it where a sentence is shown to a person."""


class BackupError(AssistantError):
    """A backup cannot be written, read or restored."""


class SettingsError(AssistantError):
    """A setting that cannot be used."""


class ConversationError(AssistantError):
    """The store of conversations cannot do what was asked."""


class PresetError(AssistantError):
    """A preset cannot be read, saved or found."""


class PromptTooLongError(AssistantError):
    """The part of the prompt that may not be left out is larger than the window."""

    def __init__(self, message: str, *, tokens: int, window: int) -> None:
        super().__init__(message)
        self.tokens = tokens
        self.window = window


class NothingToLearnError(AssistantError):
    """No example could be made of what was given; the message says what would help."""


class NoteError(AssistantError):
    """A note cannot be kept, or there is none of that key."""


class PreferenceError(AssistantError):
    """Preferences cannot be exported or learned from as asked."""


class EngineError(AssistantError):
    """The model behind the chat cannot answer."""


class UnsupportedOptionError(EngineError):
    """An option of a request, named as in OpenAI's API, that this model or engine cannot follow."""

    def __init__(self, option: str, message: str) -> None:
        super().__init__(message)
        self.option = option


class CompareError(AssistantError):
    """A comparison cannot be run as asked."""


# What is said as one sentence wherever it surfaces; anything else is a fault of the program.
KNOWN_ERRORS = (AssistantError, KnowledgeError, TuningError, OSError)


def sentence_of(error: Exception) -> str:
    """What to show for one of the known errors: its message, or what is the matter with the disk."""
    return disk_problem(error) if isinstance(error, OSError) else str(error)
