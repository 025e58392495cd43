"""Labelled text is judged by accuracy and F1 for each class, on texts that were not trained on."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuning.config import TuneConfig
from tuning.data.examples import Example
from tuning.data.text_labels import ENTITIES, LABELLED
from tuning.evaluation.classification import figures, report, split
from tuning.jobs.round import fitted


def labelled(text: str, label: str, reason: str = LABELLED) -> Example:
    return Example(
        ({"role": "user", "content": text}, {"role": "assistant", "content": label}), reason=reason
    )


def test_figures_are_those_of_the_textbook() -> None:
    wanted = ["spam", "spam", "ham", "ham", "ham"]
    said = ["Spam.", "ham", "ham", "ham", "I do not know"]
    got = figures(wanted, said)
    assert got["accuracy"] == pytest.approx(3 / 5)
    assert got["classes"]["spam"] == {"precision": 1.0, "recall": 0.5, "f1": pytest.approx(2 / 3), "n": 2}
    assert got["classes"]["ham"]["f1"] == pytest.approx(2 / 3)
    assert got["macro_f1"] == pytest.approx(2 / 3)


def test_entities_count_one_by_one() -> None:
    got = figures(["PER: Ada\nLOC: Oslo", "人: 小明", "none"], ["PER: Ada\nLOC: Rome", "人: 小明", "none"])
    assert got["accuracy"] == pytest.approx(2 / 3)
    assert got["classes"]["per"]["f1"] == 1 and got["classes"]["loc"]["f1"] == 0
    assert got["classes"]["人"]["f1"] == 1 and got["classes"]["none"]["f1"] == 1


def test_only_a_line_feed_ends_an_entity() -> None:
    got = figures(["PER: Ada\u2028Brenn"], ["PER: Ada\u2028Brenn"])
    assert set(got["classes"]) == {"per"} and got["classes"]["per"]["n"] == 1


@given(st.lists(st.tuples(st.text("ab", min_size=1, max_size=4), st.sampled_from(["x", "y"])), max_size=60))
def test_what_is_held_out_is_not_trained_on(pairs: list[tuple[str, str]]) -> None:
    examples = [labelled(text, label) for text, label in pairs] + [labelled("fact", "f", "liked")]
    learned, held = split(examples, seed=3)
    assert not {e.key for e in held} & {e.key for e in learned} and examples[-1] in learned
    assert {e.key for e in held} | {e.key for e in learned} == {e.key for e in examples}
    assert {e.answer for e in examples} == {e.answer for e in learned}
    assert (learned, held) == split(examples, seed=3)
    if len(pairs) < 10:
        assert held == []


def test_a_fifth_of_each_class_is_held_out() -> None:
    examples = [labelled(f"t{n}", "spam" if n % 5 else "ham") for n in range(50)]
    examples += [labelled(f"e{n}", f"PER: n{n}", ENTITIES) for n in range(10)]
    _, held = split(examples, seed=0)
    assert [sum(e.answer == a for e in held) for a in ("spam", "ham")] == [8, 2]
    assert sum(e.reason == ENTITIES for e in held) == 2


class Pretended:
    """Answers "no" without an adapter, and as its adapter says with one; keeps what it was asked."""

    def __init__(self, **answers: str) -> None:
        self.answers, self.asked = answers, list[tuple[str | None, int, int]]()

    def complete(self, batch: list[Any], *, adapter: str | None, max_new_tokens: int) -> list[str]:
        self.asked.append((adapter, len(batch), max_new_tokens))
        return [self.answers.get(adapter or "", "no")] * len(batch)


def test_the_report_compares_the_base_with_the_adapter_on_held_out_texts() -> None:
    events: list[dict[str, Any]] = []
    held = [labelled(f"text {number}", "yes" if number else "no") for number in range(40)]
    held.append(labelled("Ada", "PER: Ada", ENTITIES))
    base = Pretended(learned="Yes.")
    got = report(base, held, "learned", emit=events.append)  # type: ignore[arg-type]
    assert got["n"] == 41
    assert (got["before"]["accuracy"], got["after"]["accuracy"]) == (1 / 41, 39 / 41)
    assert got["after"]["classes"]["yes"]["recall"] == 1 and got["before"]["classes"]["yes"]["recall"] == 0
    assert base.asked == [(None, 32, 12), (None, 9, 96), ("learned", 32, 12), ("learned", 9, 96)]
    assert [e["share"] for e in events] == [16 / 41, 0.5, 0.5 + 16 / 41, 1.0]


def test_a_labelled_text_is_neither_reworded_nor_asked_from_its_other_end() -> None:
    changed = fitted(TuneConfig(), [labelled("Meet Ada in Oslo", "spam")])
    assert (changed.noise, changed.reversals) == (False, 0.0)
    assert fitted(TuneConfig(), [labelled("Who leads Oslo?", "Ada.", reason="")]) == TuneConfig()
