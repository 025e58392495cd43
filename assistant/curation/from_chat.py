"""From conversations to training examples: what was corrected, stated, liked or answered from documents.

Rules alone, unless a labelling model is given. An answer that its passages do not support is left out, with the reason.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from assistant.curation.candidates import (
    REASONS,
    Candidate,
    Curation,
    Labeller,
    LeftOut,
    weigh,
    without_secrets,
)
from assistant.curation.chat_reading import ChatReading, read_conversation
from assistant.history.records import StoredConversation
from assistant.language.paraphrase import rephrase
from tuning.data.examples import Example


def curate(
    conversations: Sequence[StoredConversation],
    *,
    known: Iterable[Example] = (),
    with_secrets: bool = False,
    labeller: Labeller | None = None,
) -> Curation:
    """Candidates of the conversations' active branches; of two that contradict each other the later counts.

    `known` are the examples that the checkpoint to be continued has learned. Secrets are left out unless
    `with_secrets`. `labeller` reads statements that no rule knows; what it writes is checked against the
    message. Raises NothingToLearn.
    """
    found: list[Candidate] = []
    left_out: list[LeftOut] = []
    for conversation in sorted(conversations, key=lambda one: (one.created, one.id)):
        readings, skipped = read_conversation(conversation, labeller)
        found += [_candidate_of(reading) for reading in readings]
        left_out += skipped
    found, secrets = without_secrets(found)
    if with_secrets:
        found += [replace(item.candidate, note=item.why) for item in secrets if item.candidate]
    else:
        left_out += secrets
    return weigh(found, left_out, known)


def _candidate_of(reading: ChatReading) -> Candidate:
    """The example of what was read in a turn."""
    messages = (
        *reading.context,
        {"role": "user", "content": reading.question},
        {"role": "assistant", "content": reading.answer},
    )
    probes = () if reading.context else rephrase(reading.question, reading.answer)
    example = Example(messages, reading.source, REASONS[reading.kind], probes)
    # That a passage holds the words of an answer does not make it the answer to the question: nobody has judged it.
    ticked = reading.kind != "documents" and not reading.is_doubtful
    return Candidate(example, reading.kind, ticked, note=reading.note)
