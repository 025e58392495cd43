"""Chat files read in a process of their own, `python -m tuning.data.reading_process FILE MODE`.

The process has a limit of memory (where the kernel knows one) and of time, and can be killed; whoever waits for it
reads only texts of bounded size. What it may open is not limited: it runs no code but Python's own JSON and CSV,
and Arrow's for tables.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from tuning.data.complaints import LeftOut
from tuning.data.examples import Example
from tuning.data.file_chats import FileChat, FileChats, read_chats
from tuning.data.imported import ImportedConversation, RatedAnswer
from tuning.errors import ExampleError

SECONDS = 120.0
MEMORY_BYTES = 2 << 30
GOES_ON, STRICT = "goes-on", "strict"


def read_chats_apart(path: Path, goes_on: bool = False, seconds: float = SECONDS) -> FileChats:
    """As `read_chats`; raises `ExampleError` also where time or memory do not suffice."""
    from tuning.process import worker_environment  # not at the top: the process below needs no psutil

    command = [sys.executable, "-P", "-X", "utf8", "-m", __name__, str(path), GOES_ON if goes_on else STRICT]
    with tempfile.TemporaryFile() as reply:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=reply,
            stderr=subprocess.DEVNULL,
            env=worker_environment(),
            start_new_session=True,  # Ctrl-C is the parent's to handle
        )
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise ExampleError(
                f"Reading {path} took more than {seconds:g} seconds. Split the file."
            ) from error
        finally:
            process.kill()
            process.wait()
        reply.seek(0)
        return _reply(reply, path, status)


def _reply(reply: IO[bytes], path: Path, status: int) -> FileChats:
    chats: list[FileChat] = []
    for line in reply:
        if not line.endswith(b"\n"):
            break
        record = json.loads(line)
        if "error" in record:
            raise ExampleError(record["error"])
        if "end" in record:
            end = record["end"]
            left_out = tuple(LeftOut(**one) for one in end.pop("left_out"))
            return FileChats(chats=tuple(chats), left_out=left_out, **end)
        chats.append(_from_record(record))
    raise ExampleError(
        f"Reading {path} ended before its time (status {status}): it takes more memory or temporary disk space "
        "than there is. Split the file, or free some space."
    )


def _records(found: FileChats) -> Iterator[dict[str, Any]]:
    for chat in found.chats:
        yield {"example": chat.to_dict()} if isinstance(chat, Example) else {"conversation": asdict(chat)}
    left_out = [asdict(one) for one in found.left_out]
    yield {
        "end": {
            "format": found.format,
            "title": found.title,
            "records": found.records,
            "empty": found.empty,
            "left_out": left_out,
        }
    }


def _from_record(record: dict[str, Any]) -> FileChat:
    if "example" in record:
        return Example.from_dict(record["example"])
    values = record["conversation"]
    rated = tuple(RatedAnswer(**one) for one in values.pop("rated"))
    return ImportedConversation(messages=tuple(values.pop("messages")), rated=rated, **values)


def main() -> None:
    """Read the file and print what it holds, one JSON object a line; the last says how it ended."""
    _limit()
    try:
        for record in _records(read_chats(Path(sys.argv[1]), sys.argv[2] == GOES_ON)):
            print(json.dumps(record))
    except ExampleError as error:
        print(json.dumps({"error": str(error)}))
    except (MemoryError, RecursionError):
        print(json.dumps({"error": f"{sys.argv[1]} takes more memory than a chat file may use. Split it."}))


def _limit() -> None:
    if sys.platform == "win32":
        return
    import resource  # Unix only

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (int(SECONDS), int(SECONDS)))
    if sys.platform == "linux":  # macOS refuses it; there the bounds of `file_records` alone hold
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


if __name__ == "__main__":
    main()
