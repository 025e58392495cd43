"""What is refused in the messages of a training file, and with which words."""

import json
from pathlib import Path
from typing import Any

import pytest

from assistant.server.training_messages import require_openai_messages
from tuning.errors import ExampleError

ASKED = {"role": "user", "content": "a"}
GOOD = json.dumps({"messages": [ASKED, {"role": "assistant", "content": "b", "weight": 1}]})


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ({"role": "bot", "content": "b"}, "role: 'bot' is none of system, developer"),
        ({"role": ["user"], "content": "b"}, r"role: \['user'\] is none"),
        (
            {"role": "assistant", "content": 5},
            "content: a text, a list of parts or null is needed, and 5 was given",
        ),
        ({"role": "assistant", "content": "b", "weight": 2}, "weight: 0 or 1 is needed, and 2 was given"),
        ({"role": "assistant", "content": "b", "weight": "1"}, "weight: 0 or 1 is needed, and '1' was given"),
    ],
)
def test_what_openai_refuses_is_refused_with_its_line(
    tmp_path: Path, message: dict[str, Any], sentence: str
) -> None:
    bad = json.dumps({"messages": [ASKED, message]})
    file = tmp_path / "a.jsonl"
    file.write_text(f"\ufeff{GOOD}\r\n\r\n{bad}\r\n", encoding="utf-8", newline="")
    with pytest.raises(
        ExampleError, match=rf"a\.jsonl, line 3: messages\.1\.{sentence}.*\. Repair or remove it\."
    ):
        require_openai_messages(file)


@pytest.mark.parametrize(
    "line",
    [
        json.dumps(
            {"messages": [ASKED, {"role": "assistant", "content": None, "tool_calls": [], "weight": 0}]}
        ),
        json.dumps({"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}]}),
        json.dumps({"messages": [{"type": "human", "data": {"content": "a"}}]}),
        json.dumps({"instruction": "a", "output": "b"}),
        "{broken",
        "",
    ],
)
def test_what_the_importer_reads_or_refuses_is_left_to_it(tmp_path: Path, line: str) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(line + "\n", encoding="utf-8")
    require_openai_messages(file)
