"""The scripts in `examples/` that use OpenAI's client, against a running server with the default model."""

import runpy
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.real]

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("openai_chat", ["> How many legs has a spider?", "> And an ant?", "tokens read"]),
        ("openai_tools", ["The model calls weight_of({'product': '"]),
        ("openai_structured", ["Review(product='", "mood='", "stars="]),
    ],
)
def test_a_script_runs_to_its_end(
    name: str,
    printed: list[str],
    served: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", [name, served])
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    said = capsys.readouterr().out
    assert [one for one in printed if one not in said] == []
