"""The values of a Modelfile, as Ollama's own parser reads them."""

import pytest

from tuning.checkpoints.export_gguf import in_quotes


def as_ollama_reads(value: str) -> str:
    """Its parser: a value ends with the first line at whose end, spaces aside, the marks are closed."""
    held = ""
    for line in value.splitlines(keepends=True):
        held += line
        whole = held.strip()
        if len(whole) >= 6 and whole.endswith('"""'):
            break
    return whole[3:-3]


@pytest.mark.parametrize(
    "text",
    [
        "Be brief.",
        'Say """no""" politely, and write "Brattne" with two t.\nSecond line: 用一句话回答。',
        'Write "no"\nand "yes"',
        '"""',
        'It ends with three: """',
        "\n\nBlank lines first, and last.\n",
    ],
)
def test_a_value_is_read_as_it_was_written(text: str) -> None:
    assert as_ollama_reads(in_quotes(text)) == text


@pytest.mark.parametrize("text", ['Say """no"""\nand go on.', 'Say """no"""  \r\nand go on.', '""""\n\nx'])
def test_three_marks_at_the_end_of_a_line_do_not_end_a_value(text: str) -> None:
    read = as_ollama_reads(in_quotes(text))
    assert read.replace("'", '"') == text and read.splitlines()[-1] == text.splitlines()[-1]
