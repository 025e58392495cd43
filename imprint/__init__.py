"""Imprint as a library: one home's models, knowledge bases, tuning jobs, comparisons and conversations.

    from imprint import ChatImprint, Imprint

    home = Imprint()
    job = home.tune(examples="chats.jsonl", method="lora", name="halden")
    job.wait()
    print(ChatImprint(model="halden").invoke("How heavy is the Skerrin?").text)

What stands in `__all__` is stable; the packages behind it (assistant, tuning, knowledge) are not. Importing it takes no
model, no index and no page into memory: those are opened when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assistant.compare.results import EvaluationResult
    from assistant.errors import AssistantError
    from imprint.answer import Answer
    from imprint.chat_model import ChatImprint
    from imprint.conversation import Conversation
    from imprint.home import Imprint
    from imprint.knowledge_base import KnowledgeBase, Passage
    from imprint.tuning_job import TuningJob
    from knowledge.errors import KnowledgeError
    from tuning.checkpoints.manifest import Checkpoint
    from tuning.data.examples import Example
    from tuning.errors import TuningError

_PLACES = {
    "Answer": "imprint.answer",
    "AssistantError": "assistant.errors",
    "ChatImprint": "imprint.chat_model",
    "Checkpoint": "tuning.checkpoints.manifest",
    "Conversation": "imprint.conversation",
    "EvaluationResult": "assistant.compare.results",
    "Example": "tuning.data.examples",
    "Imprint": "imprint.home",
    "KnowledgeBase": "imprint.knowledge_base",
    "KnowledgeError": "knowledge.errors",
    "Passage": "imprint.knowledge_base",
    "TuningError": "tuning.errors",
    "TuningJob": "imprint.tuning_job",
}

__all__ = [
    "Answer",
    "AssistantError",
    "ChatImprint",
    "Checkpoint",
    "Conversation",
    "EvaluationResult",
    "Example",
    "Imprint",
    "KnowledgeBase",
    "KnowledgeError",
    "Passage",
    "TuningError",
    "TuningJob",
]


def __getattr__(name: str) -> Any:
    """A public name, from the module that has it: not every program has to wait for LangChain and SciPy."""
    if name not in _PLACES:
        raise AttributeError(f"module 'imprint' has no attribute {name!r}. It has: {', '.join(__all__)}.")
    return getattr(import_module(_PLACES[name]), name)
