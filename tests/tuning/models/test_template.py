"""A chat template is a program of its own: it renders as the library does, and costs no more than a little."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from transformers import PreTrainedTokenizerBase

from tests.tuning.tiny import save_tiny
from tuning.data.examples import Message
from tuning.errors import ModelError
from tuning.models import template_process
from tuning.models.base_model import BaseModel
from tuning.models.template import Template

FAR_LESS_THAN_FOR_EVER = 150  # seconds: ends are limited to a few, on a machine with other things to do
LOOPS = "{% for a in range(99999) %}" * 3 + "{% endfor %}" * 3
HELLO: list[Message] = [{"role": "user", "content": "Grüß dich, 灯笼 🫖"}]
CHATS: list[list[Message]] = [
    HELLO,
    [{"role": "system", "content": "Short."}, *HELLO, {"role": "assistant", "content": "<b>Hi</b> & 'bye'"}],
]


@pytest.fixture(scope="module")
def folder(base_model: BaseModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(base_model, tmp_path_factory.mktemp("templates") / "tiny")


@pytest.fixture
def original(folder: Path) -> Iterator[str]:
    """The text of the template, which is put back."""
    path = folder / "chat_template.jinja"
    text = path.read_text(encoding="utf-8")
    yield text
    path.write_text(text, encoding="utf-8")


def read(folder: Path, text: str, home: Path) -> Template:
    (folder / "chat_template.jinja").write_text(text, encoding="utf-8")
    return Template.read(str(folder), home)


def rendered(tokenizer: PreTrainedTokenizerBase, chat: list[Message], prompt: bool) -> list[int]:
    found = tokenizer.apply_chat_template(chat, add_generation_prompt=prompt, tokenize=True, return_dict=True)
    return list(found["input_ids"])


@pytest.mark.parametrize("chat", CHATS)
@pytest.mark.parametrize("prompt", [False, True])
def test_an_unknown_template_renders_as_the_library_does(
    folder: Path, original: str, tmp_path: Path, chat: list[Message], prompt: bool
) -> None:
    changed = "{% generation %}{{ bos_token }}{% endgeneration %}{{ messages | tojson }}" + original
    template = read(folder, changed, tmp_path)
    assert template.chat_ids(chat, add_generation_prompt=prompt) == rendered(template.tokenizer, chat, prompt)


def test_the_known_template_needs_no_process(base_model: BaseModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_process, "PROCESS", None)
    found = base_model.chat_ids(HELLO, add_generation_prompt=True)
    assert found == rendered(base_model.tokenizer, HELLO, True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LOOPS, "does not end within"),
        ("{{ 9 ** (9 ** 9) }}", "does not end within"),
        ("{{ 'a' * 10 ** 11 }}", "needs more than 512 MB"),
        ("{{ 'aa' * 10 ** 7 }}", "makes 20000\\d+ characters"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "calls itself without end"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{{ nothing.here }}", "undefined"),
        ("{% include '/etc/passwd' %}", "no loader"),
        ("{{ raise_exception('not\n today') }}", "not today"),
        ("{% for %}", "refuses"),
        ("{{ messages[0].role }}{# ", "refuses"),
    ],
)
def test_what_a_template_does_wrong_is_one_sentence(
    folder: Path, original: str, tmp_path: Path, text: str, message: str
) -> None:
    begun = time.monotonic()
    with pytest.raises(ModelError, match=f"The chat template of .*{message}"):
        read(folder, text + original, tmp_path)
    assert time.monotonic() - begun < FAR_LESS_THAN_FOR_EVER


def test_half_an_emoji_of_a_template_becomes_a_question_mark(
    folder: Path, original: str, tmp_path: Path
) -> None:
    found = read(folder, "{{ '\\ud83d' }}" + original, tmp_path).chat_ids(HELLO, add_generation_prompt=True)
    assert found == read(folder, "?" + original, tmp_path).chat_ids(HELLO, add_generation_prompt=True)


def test_a_template_that_hangs_on_some_words_is_ended_and_others_go_on(
    folder: Path, original: str, tmp_path: Path
) -> None:
    template = read(
        folder, f"{{% if 'secret' in messages[-1].content %}}{LOOPS}{{% endif %}}{original}", tmp_path
    )
    before = template.chat_ids(HELLO, add_generation_prompt=True)
    with pytest.raises(ModelError, match="does not end within"):
        template.chat_ids([{"role": "user", "content": "a secret"}], add_generation_prompt=True)
    assert template.chat_ids(HELLO, add_generation_prompt=True) == before


def test_a_template_that_drops_the_answer_is_refused(folder: Path, original: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="leaves the answer out"):
        read(folder, "constant", tmp_path)
