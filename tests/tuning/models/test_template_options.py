"""Options of chat templates reach the prompts that ask for an answer, and nothing else."""

from collections.abc import Iterator

import pytest

from tuning.models.held_template import HeldTemplate
from tuning.models.template_options import use_template_options
from tuning.models.template_process import render_chat

TEMPLATE = HeldTemplate(
    "{% for one in messages %}{{ one['content'] }}{% endfor %}"
    "{% if enable_thinking is defined and not enable_thinking %}<think></think>{% endif %}",
    {},
)
ASKED = [{"role": "user", "content": "Why?"}]


@pytest.fixture(autouse=True)
def no_options() -> Iterator[None]:
    yield
    use_template_options({})


def test_options_reach_a_prompt_and_no_training_text() -> None:
    assert render_chat("x", TEMPLATE, ASKED, add_generation_prompt=True) == "Why?"
    use_template_options({"enable_thinking": False})
    assert render_chat("x", TEMPLATE, ASKED, add_generation_prompt=True) == "Why?<think></think>"
    assert render_chat("x", TEMPLATE, ASKED) == "Why?"
