"""The process behind `sandbox.py`: `python -m knowledge.sandbox.parser_process MEMORY_BYTES`.

Before it reads the first document it gives up what no parser needs: network, processes, writing.
"""

import json
import math
import os
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

from knowledge.errors import DocumentError, PasswordNeededError
from knowledge.readers.dispatch import load
from knowledge.readers.ocr import SECONDS_A_PAGE

_FORBIDDEN = (
    "socket.",
    "subprocess.",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "ftplib.",
)
_FORBIDDEN_FILES = (
    "os.remove",
    "os.rename",
    "os.mkdir",
    "os.rmdir",
    "os.symlink",
    "os.link",
    "os.truncate",
    "shutil.",
)


def main() -> None:
    """Serve until the parent closes the pipe."""
    memory = int(sys.argv[1])
    requests = sys.stdin.buffer
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a native library prints must not look like a reply
    _limit_memory(memory)
    sys.addaudithook(_forbid)
    sys.setrecursionlimit(5_000)  # pages nest deeper than programs do
    while header := requests.readline():
        request = json.loads(header)
        data = requests.read(request["size"])

        def more_time(pages: int, request: dict[str, Any] = request) -> float:
            """Tell the parent that recognition takes longer, and the kernel too."""
            seconds = min(pages * SECONDS_A_PAGE, request["recognition_seconds"])
            _limit_processor((seconds + request["seconds"]) * (os.cpu_count() or 1))
            _send(replies, {"more_seconds": seconds})
            return seconds

        _send(replies, _serve(request, data, more_time))


def _serve(request: dict[str, Any], data: bytes, more_time: Callable[[int], float]) -> dict[str, Any]:
    _limit_processor(request["seconds"])
    try:
        return load(data, request["name"], request["content_type"], request["password"], more_time).to_dict()
    except PasswordNeededError as error:
        return {"kind": "password", "error": str(error)}
    except DocumentError as error:
        return {"kind": "document", "error": str(error)}
    except MemoryError:
        return {"kind": "document", "error": "reading it took more memory than a document may use"}
    except RecursionError:
        return {"kind": "document", "error": "it is nested too deeply to be a document"}
    except Exception as error:  # the parsers raise whatever they stumble over; any of it means "damaged"
        reason = f"{type(error).__name__}: {error}"[:300]
        return {"kind": "document", "error": f"it is damaged or not what its name says ({reason})"}


def _send(replies: BinaryIO, reply: dict[str, Any]) -> None:
    payload = json.dumps(reply).encode()
    replies.write(len(payload).to_bytes(8, "big") + payload)
    replies.flush()


def _forbid(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open":
        mode = arguments[1]
        flags = arguments[2] or 0
        writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        if writes or (isinstance(mode, str) and set(mode) & set("wax+")):
            raise PermissionError("a parser may not write files")
    elif event.startswith(_FORBIDDEN) or event.startswith(_FORBIDDEN_FILES):
        raise PermissionError(f"a parser may not use {event}")


def _limit_memory(memory: int) -> None:
    if sys.platform == "win32":
        return  # there the parent watches alone
    import resource  # Unix only

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":  # macOS refuses it; there the parent watches alone
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _limit_processor(seconds: float) -> None:
    if sys.platform == "win32":
        return
    import resource  # Unix only

    usage = resource.getrusage(resource.RUSAGE_SELF)
    spent = usage.ru_utime + usage.ru_stime
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(spent + seconds) + 1, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main()
