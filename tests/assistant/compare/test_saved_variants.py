"""The user's own variants: what is kept of them, which names they may have."""

from pathlib import Path

import pytest

from assistant.chat.turn import AnswerOptions
from assistant.compare.saved_variants import SavedVariants
from assistant.compare.variants import Variant, parse_variants
from assistant.errors import CompareError


def test_a_variant_keeps_every_choice(tmp_path: Path) -> None:
    variant = Variant(
        "Terse",
        documents=True,
        checkpoint="halden",
        knowledge_base="manuals",
        passages=2,
        system_prompt="Be short.",
        examples=(("q", "a"),),
        temperature=0.7,
        top_p=0.9,
        max_new_tokens=20,
        seed=3,
    )
    saved = SavedVariants(tmp_path)
    saved.save(variant)
    (kept,) = SavedVariants(tmp_path).list()
    assert kept == variant
    options = kept.answer_options(AnswerOptions(knowledge_base="other", passages=4))
    assert (options.memory, options.checkpoint) == ("both", "halden")
    assert (options.knowledge_base, options.passages) == ("manuals", 2)
    assert (options.system_prompt, options.temperature) == ("Be short.", 0.7)
    assert (options.top_p, options.max_new_tokens, options.seed) == (0.9, 20, 3)
    assert [message["content"] for message in options.few_shot] == ["q", "a"]
    assert parse_variants("base,Terse", ["halden"], saved.list())[1] == variant
    saved.delete("Terse")
    assert saved.list() == []


def test_a_variant_of_the_same_name_is_replaced(tmp_path: Path) -> None:
    saved = SavedVariants(tmp_path)
    saved.save(Variant("Terse"))
    saved.save(Variant("Terse", documents=True))
    assert [variant.documents for variant in saved.list()] == [True]


@pytest.mark.parametrize("name", ["", "  ", "base", "rag", "a,b", "a+rag", "halden"])
def test_a_name_that_means_another_variant_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(CompareError, match="cannot be named"):
        SavedVariants(tmp_path).save(Variant(name), taken=["halden"])


@pytest.mark.parametrize("text", ["no json", "{}", '[{"wings": 2}]', "[1]"])
def test_a_damaged_file_is_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "arms.json").write_text(text)
    with pytest.raises(CompareError, match=r"arms\.json|no variant"):
        SavedVariants(tmp_path).list()
