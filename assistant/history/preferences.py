"""Kept votes as a file to train from: prompt, chosen, rejected, TRL's conversational form."""

import json
from collections.abc import Iterable

from assistant.history.records import StoredPreference


def to_jsonl(preferences: Iterable[StoredPreference], arms: Iterable[str] | None = None) -> str:
    """One JSON object a line for two answers that differ; with `arms`, only the votes between these."""
    wanted = None if arms is None else set(arms)
    lines = [
        {
            "prompt": list(kept.prompt),
            "chosen": [{"role": "assistant", "content": kept.chosen}],
            "rejected": [{"role": "assistant", "content": kept.rejected}],
        }
        for kept in preferences
        if (wanted is None or {kept.chosen_arm, kept.rejected_arm} <= wanted)
        and kept.chosen.strip()
        and kept.rejected.strip()
        and kept.chosen != kept.rejected
    ]
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
