"""Preference pairs for training: votes between two answers, and corrections over what they corrected."""

from collections.abc import Sequence

from assistant.history.records import StoredConversation, StoredPreference
from assistant.language.text import same_text
from tuning.data.examples import Message
from tuning.data.preferences import PreferencePair


def preferences_of(
    conversations: Sequence[StoredConversation], votes: Sequence[StoredPreference] = ()
) -> list[PreferencePair]:
    """Pairs of a better and a worse answer: votes, and corrections over what they corrected."""
    pairs = [
        PreferencePair(tuple(vote.prompt), vote.chosen, vote.rejected)
        for vote in votes
        if vote.chosen != vote.rejected
    ]
    for conversation in conversations:
        prompt: list[Message] = []
        for message in conversation.messages:
            better = message.correction
            if better and prompt and message.content.strip() and not same_text(better, message.content):
                pairs.append(PreferencePair(tuple(prompt), better, message.content))
            prompt.append(message.to_message())
    return pairs
