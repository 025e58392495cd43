"""The process that renders chat templates of unknown models: `python -m tuning.models.template_renderer`.

A template is a program. Here it has limited time and memory, and may write no file. Each line of standard input is a
request as JSON, each line of standard output its reply: {"text": …} or {"error": …}.
"""

import json
import os
import sys
import time
from typing import Any

import psutil

CPU_SECONDS = 2  # for one conversation; real templates take a thousandth of it
MEMORY_BYTES = 512 * 2**20  # beyond what the process has when it begins
MOST_CHARACTERS = 16_000_000  # of what is rendered


def main() -> None:
    """Answer requests until standard input ends."""
    from transformers.utils.chat_template_utils import render_jinja_template  # takes a second to import

    replies = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    _limit_memory()
    print("{}", file=replies, flush=True)
    for line in sys.stdin:
        _limit_time()
        try:
            reply = {"text": _rendered(render_jinja_template, json.loads(line))}
        except MemoryError:
            reply = {"error": f"it needs more than {MEMORY_BYTES // 2**20} MB"}
        except RecursionError:
            reply = {"error": "it calls itself without end"}
        except Exception as error:  # a template is a program of its own: whatever it raises is its refusal
            reply = {"error": " ".join(str(error).split())[:500] or "it failed without saying why"}
        print(json.dumps(reply), file=replies, flush=True)


def _rendered(render: Any, request: dict[str, Any]) -> str:
    rendered, _ = render(
        conversations=[request["messages"]],
        chat_template=request["template"],
        add_generation_prompt=request["add_generation_prompt"],
        **request["tokens"],
    )
    if len(rendered[0]) > MOST_CHARACTERS:
        raise ValueError(f"it makes {len(rendered[0])} characters of this conversation")
    return str(rendered[0]).encode("utf-8", "replace").decode()  # half an emoji cannot be tokenized


def _limit_memory() -> None:
    if sys.platform == "win32":
        return
    import resource  # not on Windows

    most = psutil.Process().memory_info().vms + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _limit_time() -> None:
    """The kernel ends this process once it has computed for longer; how busy the machine is does not count."""
    if sys.platform == "win32":
        return
    import resource  # not on Windows

    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + 1 + CPU_SECONDS, hard))


if __name__ == "__main__":
    main()
