"""Messages → the text of a prompt. Templates that are not known are rendered in a process that can be ended."""

import atexit
import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tuning.data.examples import Message
from tuning.errors import ModelError
from tuning.models.template_options import template_options
from tuning.models.template_renderer import CPU_SECONDS
from tuning.process import worker_environment

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedTokenizerBase

    from tuning.models.held_template import HeldTemplate

# sha256 of the templates that are rendered in this process: the one of the packaged model.
KNOWN_TEMPLATES = {"872be49dbb638044ad01b60388f48d469ff2980e5f0dccdc22ec907db54d0788"}
START_SECONDS = 120.0  # on a machine that is busy; it takes one or two
RENDER_SECONDS = 30.0  # on the clock, should the limit of computing time not hold


class TemplateProcess:
    """Renders chat templates in a process of its own, started when first needed; threads may share it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0  # after a fork, the child has a process of its own
        self._is_ready = False
        self._lock = threading.Lock()
        atexit.register(self.close)

    def begin(self) -> None:
        """Start the process; what the caller does next runs beside it."""
        with self._lock:
            self._running()

    def render(
        self,
        template: str,
        messages: Sequence[Message],
        tokens: Mapping[str, Any],
        *,
        add_generation_prompt: bool,
    ) -> str:
        """The text of a prompt. Raises ModelError with the reason alone."""
        request = {
            "template": template,
            "messages": list(messages),
            "tokens": dict(tokens),
            "add_generation_prompt": add_generation_prompt,
        }
        with self._lock:
            process = self._running()
            if not self._is_ready:
                self._exchange(process, None, START_SECONDS)
                self._is_ready = True
            reply = self._exchange(process, request, RENDER_SECONDS)
        if "text" not in reply:
            raise ModelError(str(reply.get("error")))
        return str(reply["text"])

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None and self._owner == os.getpid():
            process.kill()
            process.communicate()

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is not None and self._owner == os.getpid() and self._process.poll() is None:
            return self._process
        self.close()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tuning.models.template_renderer"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=worker_environment(),
        )
        self._owner, self._is_ready = os.getpid(), False
        return self._process

    def _exchange(
        self, process: "subprocess.Popen[bytes]", request: Mapping[str, Any] | None, seconds: float
    ) -> dict[str, Any]:
        """Write a request, where there is one, and read a reply; a process that gives none in time is ended."""
        assert process.stdin is not None and process.stdout is not None
        timer = threading.Timer(seconds, process.kill)
        timer.start()
        try:
            if request is not None:
                process.stdin.write(json.dumps(request).encode("ascii") + b"\n")
                process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = b""
        finally:
            timer.cancel()
        if not line.endswith(b"\n"):
            self.close()
            raise ModelError(f"it does not end within {CPU_SECONDS} seconds or takes too much memory")
        return dict(json.loads(line))


PROCESS = TemplateProcess()


def render_chat(
    name: str,
    tokenizer: "PreTrainedTokenizerBase | HeldTemplate",
    messages: Sequence[Message],
    *,
    add_generation_prompt: bool = False,
) -> str:
    """A conversation as text, by the model's own chat template. Raises ModelError where that refuses it."""
    options = template_options() if add_generation_prompt else {}
    try:
        if is_known(tokenizer):
            text: Any = tokenizer.apply_chat_template(
                list(messages), add_generation_prompt=add_generation_prompt, tokenize=False, **options
            )
            return str(text)
        tokens = {**options, **tokenizer.special_tokens_map}
        template = tokenizer.get_chat_template()
        kept = [{key: value for key, value in one.items() if value is not None} for one in messages]
        return PROCESS.render(template, kept, tokens, add_generation_prompt=add_generation_prompt)
    except Exception as error:  # a template is a program of its own: whatever it raises is its refusal
        raise ModelError(
            f"The chat template of {name!r} refuses these messages: {str(error).rstrip('. ')}. "
            "Choose another model, or restore its template."
        ) from error


def is_known(tokenizer: "PreTrainedTokenizerBase | HeldTemplate") -> bool:
    """Whether the tokenizer's chat template is one that Imprint comes with."""
    template = str(tokenizer.chat_template)
    return hashlib.sha256(template.encode("utf-8", "replace")).hexdigest() in KNOWN_TEMPLATES
