"""Checkpoints appear whole, know their parents, and are not pulled away from under anybody."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from tuning.checkpoints.manifest import Checkpoint, Manifest, checked_name
from tuning.checkpoints.registry import Registry
from tuning.data.examples import Example, read_examples
from tuning.errors import CheckpointError


def example(question: str, answer: str) -> Example:
    return Example(({"role": "user", "content": question}, {"role": "assistant", "content": answer}))


LEARNED = example("夜莺？", "一只鸟")


def write_weights(folder: Path) -> None:
    save_file({"weight": torch.ones(3)}, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text('{"peft_type": "LORA"}', encoding="utf-8")


def save(
    registry: Registry, name: str, write: Callable[[Path], None] = write_weights, **fields: Any
) -> Checkpoint:
    about = {"method": "lora", "base": "b", "base_sha256": "c0ffee", **fields}
    return registry.save(Manifest(name, **about), write)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path)


def test_a_saved_checkpoint_describes_itself(registry: Registry) -> None:
    saved = save(
        registry, "夜莺 v1", system_prompt="你好", stop_ids=[2, 3], examples=[LEARNED],
        metrics={"steps": 4}, evaluation={"recall": {"after": 1.0}}, template_fingerprint="f",
        config={"rank": 16}, probe={"ids": [1]},
    )  # fmt: skip
    again = Registry(registry.folder.parent).get("夜莺 v1")
    assert again == saved
    assert (again.system_prompt, again.stop_ids, again.metrics) == ("你好", (2, 3), {"steps": 4})
    assert again.evaluation == {"recall": {"after": 1.0}} and again.probe == {"ids": [1]}
    assert again.examples is not None and read_examples(again.examples) == [LEARNED]
    assert again.examples_count == 1 and again.size_bytes > 100
    assert [p.name for p in registry.folder.iterdir()] == ["夜莺 v1"]


def test_a_failed_save_leaves_no_trace(registry: Registry) -> None:
    def half(folder: Path) -> None:
        write_weights(folder)
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        save(registry, "a", write=half)
    with pytest.raises(CheckpointError, match="wrote no weights"):
        save(registry, "a", write=lambda folder: None)
    assert list(registry.folder.iterdir()) == [] and registry.list() == []


def test_what_a_dead_process_left_half_written_is_removed(registry: Registry) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = registry.folder / f".new-{ended.pid}-abc"
    left.mkdir(parents=True)
    os.utime(left, (1, 1))
    assert registry.list() == []
    save(registry, "a")
    assert not left.exists()


@pytest.mark.parametrize(
    "name",
    ["", " ", "../up", "a/b", "a\\b", ".hidden", "-option", "nul", "CON.txt", "base", "rag", "a+rag", "a,b",
     "a\0", "a\nb", "x" * 81, "夜" * 70, "end.", "\ud83d"],
)  # fmt: skip
def test_names_that_are_no_names_are_refused(registry: Registry, name: str) -> None:
    with pytest.raises(CheckpointError, match="cannot name a checkpoint"):
        save(registry, name)
    with pytest.raises(CheckpointError, match="cannot name a checkpoint"):
        registry.get(name)


@given(st.text(max_size=40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
def test_a_name_never_leaves_the_folder(tmp_path: Path, name: str) -> None:
    try:
        accepted = checked_name(name)
    except CheckpointError:
        return
    assert (tmp_path / accepted).resolve().parent == tmp_path.resolve()
    (tmp_path / accepted).mkdir(exist_ok=True)
    assert checked_name(accepted) == accepted


def test_taken_and_missing_names_say_so(registry: Registry) -> None:
    save(registry, "Kite")
    with pytest.raises(CheckpointError, match="'kite' exists already"):
        save(registry, "kite")
    with pytest.raises(CheckpointError, match=r"no checkpoint 'other'\. There are: 'Kite'"):
        registry.get("other")
    with pytest.raises(CheckpointError, match="no checkpoint 'gone'"):
        save(registry, "child", parent="gone")
    assert registry.free_name("Kite") == "Kite-2" and registry.free_name("new") == "new"


def test_two_savers_of_one_name_do_not_mix(registry: Registry) -> None:
    both = threading.Barrier(2)

    def slow(folder: Path) -> None:
        write_weights(folder)
        both.wait(5)

    failures: list[str] = []

    def run() -> None:
        try:
            save(registry, "same", write=slow)
        except CheckpointError as error:
            failures.append(str(error))

    threads = [threading.Thread(target=run) for _ in range(2)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert len(failures) == 1 and "Cannot store 'same'" in failures[0]
    assert [p.name for p in registry.folder.iterdir()] == ["same"] and registry.get("same")


def test_lineage_survives_renaming(registry: Registry) -> None:
    save(registry, "one")
    save(registry, "two", parent="one")
    save(registry, "three", parent="two")
    save(registry, "side", parent="one")
    save(registry, "alone")
    renamed = registry.rename("one", "第一")
    assert renamed.name == "第一" and registry.get("two").parent == "第一"
    assert [c.name for c in registry.lineage("three")] == ["第一", "two", "three"]
    assert [(d, c.name) for d, c in registry.tree()] == [
        (0, "第一"), (1, "two"), (2, "three"), (1, "side"), (0, "alone")
    ]  # fmt: skip
    assert [c.name for c in registry.children("第一")] == ["two", "side"]
    with pytest.raises(CheckpointError, match="a checkpoint of that name exists"):
        registry.rename("two", "alone")


def test_examples_of_a_checkpoint_are_those_of_its_lineage_by_round(registry: Registry) -> None:
    colour, name, place = (example(q, "a") for q in ("Which colour?", "What name?", "Where?"))
    save(registry, "one", examples=[colour, name])
    save(registry, "side", parent="one", examples=[example("Aside?", "b")])
    save(registry, "two", parent="one")
    save(registry, "three", parent="two", examples=[place])
    found = registry.examples_of("three")
    assert [tuple(one) for one in found] == [("one", colour), ("one", name), ("three", place)]
    with pytest.raises(CheckpointError, match="no checkpoint 'gone'"):
        registry.examples_of("gone")


def test_of_earlier_examples_the_newest_answer_counts_and_what_is_taught_anew_is_left_out(
    registry: Registry,
) -> None:
    old, new = example("What is it called?", "Nightjar."), example("what is it called", "Skylark.")
    save(registry, "one", examples=[old, LEARNED])
    save(registry, "two", parent="one", examples=[new])
    assert registry.earlier_examples("two", []) == [new, LEARNED]
    assert registry.earlier_examples("two", [example("What is it CALLED?", "Kite.")]) == [LEARNED]
    assert registry.earlier_examples(None, []) == []


def test_a_parent_is_not_deleted_before_its_children(registry: Registry) -> None:
    save(registry, "one")
    save(registry, "two", parent="one")
    with pytest.raises(CheckpointError, match="'two' was trained from it"):
        registry.delete("one")
    registry.delete("two")
    registry.delete("one")
    assert registry.list() == [] and list(registry.folder.glob(".*")) == []


def test_a_checkpoint_in_use_is_neither_deleted_nor_renamed(registry: Registry) -> None:
    save(registry, "one")
    with registry.hold("one", "the chat uses it"):
        with pytest.raises(CheckpointError, match="Cannot delete 'one' while it is in use: the chat uses it"):
            registry.delete("one")
        with pytest.raises(CheckpointError, match="Cannot rename 'one' while"):
            registry.rename("one", "two")
    registry.delete("one")


def test_a_dead_holder_holds_nothing(registry: Registry) -> None:
    checkpoint = save(registry, "one")
    code = (
        "import sys, os; from pathlib import Path; from tuning.checkpoints.registry import Registry\n"
        "hold = Registry(Path(sys.argv[1])).hold('one', 'x'); hold.__enter__(); os._exit(1)"
    )
    subprocess.run([sys.executable, "-c", code, str(registry.folder.parent)], check=False)
    assert list((registry.folder / ".holds" / checkpoint.id).iterdir())
    registry.delete("one")


def test_broken_folders_are_reported_and_do_not_stop_the_list(registry: Registry) -> None:
    save(registry, "good")
    (registry.folder / "empty").mkdir()
    torn = save(registry, "torn").path
    (torn / "imprint.json").write_text('{"format": 1, "na', encoding="utf-8")
    cut = save(registry, "cut").path
    (cut / "adapter_model.safetensors").write_bytes(b"123")
    newer = save(registry, "newer").path
    manifest = json.loads((newer / "imprint.json").read_text(encoding="utf-8"))
    (newer / "imprint.json").write_text(json.dumps({**manifest, "format": 99}), encoding="utf-8")
    assert [c.name for c in registry.list()] == ["good"]
    reasons = {b.name: b.reason for b in registry.broken()}
    assert set(reasons) == {"empty", "torn", "cut", "newer"}
    assert "no 'imprint.json'" in reasons["empty"] and "3 bytes instead of" in reasons["cut"]
    assert "format 99" in reasons["newer"] and "cannot be read" in reasons["torn"]
    registry.delete("torn")
    assert len(registry.broken()) == 3


def test_notes_are_kept(registry: Registry) -> None:
    save(registry, "one")
    assert registry.set_note("one", "knows the kite\n夜莺").note == "knows the kite\n夜莺"
    assert registry.get("one").note == "knows the kite\n夜莺"
