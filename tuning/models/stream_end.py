"""How a streamed answer ended. Imports no torch, so that engines without a model in this process use it too."""

from dataclasses import dataclass
from typing import Literal

FinishReason = Literal["stop", "length"]


@dataclass(frozen=True)
class StreamEnd:
    """What a stream of text returns when it is exhausted."""

    # OpenAI's terms: "length" where the answer was cut at the most tokens that it may have, else "stop".
    finish_reason: FinishReason
    # Without the end-of-turn token.
    completion_tokens: int
    # The stop sequence that it ended before; "" where it ended by itself.
    stop: str = ""
