"""Preferences: kept as they were given, and exported for training."""

import json
from pathlib import Path

from assistant.history.preferences import PreferenceStore, to_jsonl
from assistant.history.records import NewPreference

PROMPT = ({"role": "user", "content": "Q"},)


def test_a_preference_is_kept_with_the_arms_that_wrote_it(file: Path) -> None:
    store = PreferenceStore(file)
    added = store.add(
        NewPreference(prompt=PROMPT, chosen="yes", rejected="no", chosen_arm="rag", rejected_arm="base")
    )
    (vote,) = PreferenceStore(file).list()
    assert (vote.id, vote.prompt, vote.chosen, vote.rejected) == (added, PROMPT, "yes", "no")
    assert (vote.chosen_arm, vote.rejected_arm, vote.ballot_id) == ("rag", "base", None)


def test_the_export_holds_pairs_that_differ_and_only_between_the_arms_asked_for(file: Path) -> None:
    store = PreferenceStore(file)
    for chosen, rejected in (("yes", "no"), ("same", "same"), ("", "no"), ("yes", " ")):
        store.add(NewPreference(prompt=PROMPT, chosen=chosen, rejected=rejected, chosen_arm="rag"))
    assert [json.loads(line) for line in to_jsonl(store.list()).splitlines()] == [
        {
            "prompt": list(PROMPT),
            "chosen": [{"role": "assistant", "content": "yes"}],
            "rejected": [{"role": "assistant", "content": "no"}],
        }
    ]
    assert to_jsonl(store.list(), ["rag", "base"]) == ""
