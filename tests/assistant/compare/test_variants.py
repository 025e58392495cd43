"""Variants: what each answers from, how the command line names them, what they need."""

import pytest

from assistant.chat.turn import AnswerOptions
from assistant.compare.variants import (
    KINDS,
    Variant,
    missing,
    options_from_dict,
    parse_variants,
    presets,
    require,
)
from assistant.errors import CompareError
from tests.assistant.compare.samples import FakeCheckpoint


def test_presets_cover_each_memory_and_the_newest_of_both_methods() -> None:
    stored = [FakeCheckpoint("old"), FakeCheckpoint("new"), FakeCheckpoint("prefix", "p-tuning-v2")]
    names = [variant.name for variant in presets(stored)]
    assert names[:5] == ["base", "rag", "base+given", "new", "prefix"]
    assert {"old", "new+rag", "prefix+rag"} <= set(names)
    assert {variant.kind for variant in presets(stored)} == set(KINDS)


def test_a_deleted_checkpoint_or_knowledge_base_is_named_before_anything_is_asked() -> None:
    halden = Variant("halden", checkpoint="halden")
    manuals = Variant("m", documents=True, knowledge_base="manuals")
    assert "The checkpoint 'halden'" in missing(halden, [], ["default"], "default")
    assert "The knowledge base 'manuals'" in missing(manuals, [], ["default"], "default")
    assert not missing(manuals, [], ["manuals"], "default")
    assert "'rag' has nothing to read" in missing(Variant("rag", documents=True), [], [], "default")
    with pytest.raises(CompareError, match=r"is gone, or is of another model\. Take the variant out"):
        require([Variant("base"), halden], [], [], "default")


def test_variants_are_read_by_name() -> None:
    variants = parse_variants("base, rag ,夜莺, 夜莺+rag", ["夜莺"])
    assert [variant.name for variant in variants] == ["base", "rag", "夜莺", "夜莺+rag"]
    memories = [variant.answer_options(AnswerOptions()).memory for variant in variants]
    assert memories == ["nothing", "documents", "checkpoint", "both"]
    assert parse_variants("夜莺 +rag", ["夜莺"])[0] == variants[3]
    assert parse_variants("base+given", [])[0].given
    noted = parse_variants("夜莺+rag+notes,夜莺", ["夜莺"])[0]
    assert (
        noted == Variant("夜莺+rag+notes", documents=True, checkpoint="夜莺", notes=True) and noted.is_plain
    )
    assert (
        noted.answer_options(AnswerOptions()).notes and not variants[3].answer_options(AnswerOptions()).notes
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (" , ", "No variant in"),
        ("base,base", "named twice"),
        ("x+rag", "Variant 'x\\+rag' names no checkpoint"),
    ],
)
def test_variants_that_cannot_be_are_refused(text: str, sentence: str) -> None:
    with pytest.raises(CompareError, match=sentence):
        parse_variants(text, ["halden"])


def test_options_are_read_from_json_as_they_were_written() -> None:
    shot = {"role": "user", "content": "q"}
    record = {"memory": "documents", "documents": ["a", "b"], "given": [], "few_shot": [shot], "seed": None}
    options = options_from_dict(record)
    assert options == AnswerOptions(memory="documents", documents=("a", "b"), few_shot=(shot,))
    assert {options.documents: "can be a key"}
