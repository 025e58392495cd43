"""The parsing process, `python -m knowledge.sandbox.parser_process MEMORY_BYTES`; `client.py` starts it.

Before it reads the first document it gives up what no parser needs: network, other processes, writing, and all
files but those of its libraries. The kernel enforces that where it can (`confinement.py`); an audit hook refuses
the same to Python code everywhere, with a clearer message.
"""

import json
import math
import os
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from knowledge.errors import DocumentError, PasswordNeededError
from knowledge.readers.dispatch import load
from knowledge.readers.ocr import SECONDS_PER_PAGE
from knowledge.sandbox.confinement import confine

# What libraries read of the system: shared objects, fonts that a PDF names, and what processor this is.
_SYSTEM_FILES = (
    *("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache"),
    *("/usr/share/fonts", "/usr/local/share/fonts", "/usr/share/X11/fonts", "/usr/share/zoneinfo"),
    *("/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu", "/dev/null", "/dev/urandom"),
)
MAX_OPEN_FILES = 256
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
    os.umask(0o077)  # it may write nothing; if it ever could, nobody else would read it
    requests = sys.stdin.buffer
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a native library prints must not look like a reply
    sys.setrecursionlimit(5_000)  # pages nest deeper than programs do
    _send(replies, {"protections": give_up_rights(int(sys.argv[1]))})
    while header := requests.readline():
        request = json.loads(header)
        data = requests.read(request["size"])

        def request_seconds(pages: int, request: dict[str, Any] = request) -> float:
            """Tell the parent that recognition takes longer, and the kernel too."""
            seconds = min(pages * SECONDS_PER_PAGE, request["recognition_seconds"])
            _limit_processor((seconds + request["seconds"]) * (os.cpu_count() or 1))
            _send(replies, {"more_seconds": seconds})
            return seconds

        _send(replies, _serve(request, data, request_seconds))


def give_up_rights(memory: int) -> list[str]:
    """Limit and confine this process for good; returns the names of the protections that are active."""
    limited = _limit_resources(memory)
    confined = confine(_readable_paths())
    sys.addaudithook(_forbid)
    return [*confined, *limited, "audit hook"]


def _readable_paths() -> list[Path]:
    """Where Python and the libraries of the parsers are: some import more of them when a document needs it.

    Of the import path only folders that hold installed packages, and archives: others may be a home folder.
    """
    installed = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    installed += [str(Path(prefix) / "lib") for prefix in (sys.prefix, sys.base_prefix)]
    installed += [
        entry for entry in sys.path if Path(entry).is_file() or any(Path(entry).glob("*.dist-info"))
    ]
    paths = {Path(path) for path in (*installed, *_SYSTEM_FILES)}
    loaded = {
        path for name, module in list(sys.modules.items()) if "." not in name for path in _origins(module)
    }
    return [*paths, *(one for one in loaded if not any(one.is_relative_to(path) for path in paths))]


def _origins(module: Any) -> list[Path]:
    """The folders of a package, or the file of a module."""
    file = getattr(module, "__file__", None)
    return [Path(path) for path in getattr(module, "__path__", None) or ([file] if file else [])]


def _serve(request: dict[str, Any], data: bytes, request_seconds: Callable[[int], float]) -> dict[str, Any]:
    _limit_processor(request["seconds"])
    try:
        return load(
            data, request["name"], request["content_type"], request["password"], request_seconds
        ).to_dict()
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


def _limit_resources(memory: int) -> list[str]:
    if sys.platform == "win32":
        return []  # there the parent watches alone
    import resource  # Unix only

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = MAX_OPEN_FILES if most == resource.RLIM_INFINITY else min(MAX_OPEN_FILES, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    if sys.platform == "linux":  # macOS refuses it; there the parent watches alone
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    return ["resource limits"]


def _limit_processor(seconds: float) -> None:
    if sys.platform == "win32":
        return
    import resource  # Unix only

    usage = resource.getrusage(resource.RUSAGE_SELF)
    spent = usage.ru_utime + usage.ru_stime
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(spent + seconds) + 1, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main()
