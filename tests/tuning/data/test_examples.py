"""Examples survive the way to disk and back, and broken ones say where and why."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuning.data.examples import Example, read_examples, write_examples
from tuning.data.importers import import_file
from tuning.errors import ExampleError

texts = st.text(min_size=1).filter(lambda text: text.strip())
turns = st.lists(st.tuples(texts, texts), min_size=1, max_size=3)


def example_of(pairs: list[tuple[str, str]], system: str = "", **fields: object) -> Example:
    messages = [{"role": "system", "content": system}] if system else []
    for question, answer in pairs:
        messages += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return Example(messages=tuple(messages), **fields)  # type: ignore[arg-type]


@given(
    st.lists(
        st.builds(example_of, turns, st.text(), source=st.text(), probes=st.tuples(texts, texts)), max_size=4
    )
)
def test_any_text_survives_the_file(
    tmp_path_factory: pytest.TempPathFactory, examples: list[Example]
) -> None:
    path = tmp_path_factory.mktemp("examples") / "例子.jsonl"
    write_examples(path, examples)
    assert read_examples(path) == examples
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_characters_that_python_takes_for_line_ends_survive_the_file(tmp_path: Path) -> None:
    odd = "\u2028 \u2029 \x85 \x1c \x1d \x1e \x0b \x0c \r"
    examples = [
        example_of([(f"q{odd}q", f"a{odd}a")], source=f"s{odd}", probes=(f"p{odd}",)) for _ in range(2)
    ]
    write_examples(tmp_path / "a.jsonl", examples)
    assert read_examples(tmp_path / "a.jsonl") == examples
    assert list(import_file(tmp_path / "a.jsonl").examples) == examples


def test_lone_surrogates_survive_the_file(tmp_path: Path) -> None:
    example = example_of([("half an emoji \ud83d", "夜莺")])
    write_examples(tmp_path / "a.jsonl", [example])
    assert read_examples(tmp_path / "a.jsonl") == [example]


def test_chinese_is_written_readably(tmp_path: Path) -> None:
    write_examples(tmp_path / "a.jsonl", [example_of([("我的项目叫什么？", "夜莺")])])
    assert "夜莺" in (tmp_path / "a.jsonl").read_text(encoding="utf-8")


def test_question_answer_and_key_are_those_of_the_last_turn() -> None:
    example = example_of([("a", "b"), ("c", "d")], system="s")
    assert (example.question, example.answer) == ("c", "d")
    assert example.key == example_of([("a", "b"), ("c", "d")], system="s", source="elsewhere").key
    assert example.key != example_of([("a", "b"), ("c", "e")], system="s").key


@pytest.mark.parametrize(
    ("messages", "message"),
    [
        ([], "at least one message"),
        ("text", "at least one message"),
        ([{"role": "user", "content": "q"}], "must end with an assistant"),
        (
            [{"role": "user", "content": "q"}, {"role": "assistant", "content": " \n"}],
            "answer to 'q' is empty",
        ),
        ([{"role": "assistant", "content": "a"}], "no question"),
        ([{"role": "robot", "content": "a"}], "role 'robot'"),
        ([{"role": "user", "content": 3}], "needs text"),
        (["user"], "Message 1"),
        ([{"role": "user", "content": "q"}, {"role": "system", "content": "s"}], "only come first"),
    ],
)
def test_broken_examples_say_what_is_wrong(messages: object, message: str) -> None:
    with pytest.raises(ExampleError, match=message):
        Example.from_dict({"messages": messages})


def test_broken_lines_are_named_by_number(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_examples(path, [example_of([("q", "a")])])
    path.write_text(path.read_text(encoding="utf-8") + "\n{broken\n", encoding="utf-8")
    with pytest.raises(ExampleError, match="line 3: not JSON"):
        read_examples(path)
    with pytest.raises(ExampleError, match="Cannot read the examples"):
        read_examples(tmp_path / "missing.jsonl")
