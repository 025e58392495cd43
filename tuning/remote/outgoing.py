"""What leaves this machine when a service tunes a model: the training file, and its figures to be shown before."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlsplit

from tuning.data.examples import Example, Message
from tuning.data.exporters import CHAT_EXPORTERS, ExportedChat, to_jsonl

_BYTES_PER_TOKEN = 4  # about; a Chinese character has three bytes and about one token
SHOWN_EXAMPLES = 3


@dataclass(frozen=True)
class Outgoing:
    """What a service would be sent. The price is the service's own, and nowhere to be read."""

    url: str
    model: str  # the service's name of the model that it is to tune
    examples: int
    bytes: int  # of the training file
    tokens: int  # of one pass over it, estimated: the service counts with its own tokenizer
    sha256: str  # of the training file
    questions: tuple[str, ...]  # of the first examples

    @property
    def host(self) -> str:
        """The address without its path."""
        return urlsplit(self.url).netloc


def outgoing(url: str, model: str, examples: Sequence[Example], system_prompt: str = "") -> Outgoing:
    """The figures of a training file."""
    file = training_file(examples, system_prompt)
    questions = tuple(example.question for example in examples[:SHOWN_EXAMPLES])
    tokens = max(1, len(file) // _BYTES_PER_TOKEN)
    return Outgoing(url, model, len(examples), len(file), tokens, sha256(file).hexdigest(), questions)


def training_file(examples: Sequence[Example], system_prompt: str = "") -> bytes:
    """The examples as OpenAI's chat JSONL, with the system prompt before those that have none of their own."""
    chats = [ExportedChat(_with_system(example.messages, system_prompt)) for example in examples]
    return to_jsonl(chats, CHAT_EXPORTERS["openai"]).encode()


def _with_system(messages: tuple[Message, ...], system_prompt: str) -> tuple[Message, ...]:
    if not system_prompt or messages[0]["role"] == "system":
        return messages
    return ({"role": "system", "content": system_prompt}, *messages)
