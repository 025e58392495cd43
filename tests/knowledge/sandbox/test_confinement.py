"""The kernel's confinement of the parsing process: native code is refused what no parser needs."""

import ctypes
import errno
import json
import os
import platform
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from knowledge.sandbox.client import Sandbox
from knowledge.sandbox.confinement import LANDLOCK, SECCOMP, filter_program

ROOT = Path(__file__).parents[3]
# Calls of the C library, past every hook of Python. Prints the protections, and of each call its errno or "done".
NATIVE = """
import ctypes, errno, json, os, sys, threading
from knowledge.sandbox.parser_process import give_up_rights
folder, parent = os.fsencode(sys.argv[1]), int(sys.argv[2])
protections = give_up_rights(2**31)
libc = ctypes.CDLL(None, use_errno=True)
address = (ctypes.c_char * 16)(2, 0, 0, 9, 127, 0, 0, 1)  # AF_INET, port 9, 127.0.0.1
limits = (ctypes.c_ulong * 2)(1000, 1000)
calls = {
    "open a file to write": lambda: libc.open(folder + b"/new", os.O_WRONLY | os.O_CREAT, 0o600),
    "open a file to read": lambda: libc.open(folder + b"/secret", os.O_RDONLY),
    "list a folder": lambda: libc.open(folder, os.O_RDONLY | os.O_DIRECTORY),
    "remove a file": lambda: libc.unlink(folder + b"/secret"),
    "rename a file": lambda: libc.rename(folder + b"/secret", folder + b"/moved"),
    "change a file's mode": lambda: libc.chmod(folder + b"/secret", 0o777),
    "make a folder": lambda: libc.mkdir(folder + b"/made", 0o700),
    "make a socket": lambda: libc.socket(2, 1, 0),
    "connect": lambda: libc.connect(0, address, 16),
    "run a program": lambda: libc.execv(folder + b"/none", (ctypes.c_char_p * 2)(b"none", None)),
    "fork": lambda: libc.fork(),
    "signal the parent": lambda: libc.kill(parent, 0),
    "limit the parent": lambda: libc.prlimit(parent, 7, limits, None),
    "queue work for the kernel": lambda: libc.syscall(425, 8, ctypes.create_string_buffer(128)),
    "open a library": lambda: libc.open(os.fsencode(json.__file__), os.O_RDONLY),
    "signal itself": lambda: libc.kill(os.getpid(), 0),
    "limit itself": lambda: libc.prlimit(0, 7, None, limits),
}

def made(call):
    ctypes.set_errno(0)
    result = call()
    if not result and "fork" in calls and call is calls["fork"]:
        os._exit(0)
    return errno.errorcode.get(ctypes.get_errno(), "failed") if result == -1 else "done"

results = {name: made(call) for name, call in calls.items()}
thread = threading.Thread(target=lambda: results.update({"in a thread": made(calls["make a socket"])}))
thread.start()
thread.join()
print(json.dumps({"protections": protections, "results": results}))
"""
OF_LANDLOCK = {
    "open a file to write",
    "open a file to read",
    "list a folder",
    "remove a file",
    "rename a file",
    "make a folder",
}
OF_SECCOMP = {
    "change a file's mode",
    "make a socket",
    "connect",
    "run a program",
    "fork",
    "signal the parent",
    "limit the parent",
    "queue work for the kernel",
    "in a thread",
}
ALLOWED = {"open a library", "signal itself", "limit itself"}


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a process that gave up its rights could still do in native code."""
    folder = tmp_path_factory.mktemp("private")
    (folder / "secret").write_text("secret")
    sleeper = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    try:
        command = [sys.executable, "-c", NATIVE, str(folder), str(sleeper.pid)]
        found: dict[str, Any] = json.loads(subprocess.check_output(command, text=True, cwd=ROOT))
    finally:
        sleeper.communicate(b"")
    assert set(found["results"]) == OF_LANDLOCK | OF_SECCOMP | ALLOWED
    return {**found, "left": sorted(path.name for path in folder.iterdir())}


def kernel_has(protection: str) -> bool:
    if sys.platform != "linux" or platform.machine() not in ("x86_64", "aarch64"):
        return False
    if protection == LANDLOCK:
        return int(ctypes.CDLL(None).syscall(444, None, 0, 1)) > 0  # the version of its interface
    return "errno" in Path("/proc/sys/kernel/seccomp/actions_avail").read_text().split()


def needs(native: dict[str, Any], protection: str) -> dict[str, str]:
    if not kernel_has(protection):
        pytest.skip(f"this kernel has no {protection}")
    assert protection in native["protections"]
    return dict(native["results"])


def test_native_code_opens_and_changes_no_file_of_the_person(native: dict[str, Any]) -> None:
    results = needs(native, LANDLOCK)
    assert {name: results[name] for name in OF_LANDLOCK} == dict.fromkeys(OF_LANDLOCK, "EACCES")
    assert native["left"] == ["secret"]


def test_native_code_reaches_no_network_program_or_other_process(native: dict[str, Any]) -> None:
    results = needs(native, SECCOMP)
    assert {name: results[name] for name in OF_SECCOMP} == dict.fromkeys(OF_SECCOMP, "EPERM")


def test_what_parsers_need_still_works(native: dict[str, Any]) -> None:
    assert {name: native["results"][name] for name in ALLOWED} == dict.fromkeys(ALLOWED, "done")


def test_the_parsing_process_reports_what_confines_it(
    native: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="knowledge.sandbox.client")
    with Sandbox() as sandbox:
        protections = sandbox.protections()
    assert protections == native["protections"]
    assert "audit hook" in protections
    shown = "\n".join(record.getMessage() for record in caplog.records)
    assert all(protection in shown for protection in (*protections, LANDLOCK, SECCOMP))


def test_a_process_with_other_threads_claims_no_landlock() -> None:
    """Landlock binds one thread: with others running, files would stay open to them."""
    code = (
        "import threading; from knowledge.sandbox.confinement import confine; done = threading.Event();"
        "threading.Thread(target=done.wait, daemon=True).start(); print(confine(['/'])); done.set()"
    )
    active = subprocess.check_output([sys.executable, "-c", code], text=True, cwd=ROOT)
    assert LANDLOCK not in active


AUDIT_NAMES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
ALLOW, EPERM, ENOSYS = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
THREAD, PROCESS = 0x3D0F00, 0x11  # flags of `clone` as the C library gives them


def answer(machine: str, number: int, argument: int = 0, audit_name: int = 0) -> int:
    """What the filter of a processor answers, by the rules of classic BPF."""
    data = struct.pack("IIQ6Q", number, audit_name or AUDIT_NAMES[machine], 0, argument, 0, 0, 0, 0, 0)
    program = list(struct.iter_unpack("HBBI", filter_program(machine)))
    at = loaded = 0
    while True:
        operation, yes, no, value = program[at]
        if operation == 0x06:
            return int(value)
        if operation == 0x20:
            (loaded,) = struct.unpack_from("I", data, value)
            at += 1
            continue
        holds = {0x15: loaded == value, 0x35: loaded >= value, 0x45: bool(loaded & value)}[operation]
        at += 1 + (yes if holds else no)


@pytest.mark.parametrize(
    ("machine", "openat", "socket", "execve", "clone", "kill"),
    [("x86_64", 257, 41, 59, 56, 62), ("aarch64", 56, 198, 221, 220, 129)],
)
def test_the_filter_of_each_processor(
    machine: str, openat: int, socket: int, execve: int, clone: int, kill: int
) -> None:
    assert answer(machine, openat) == ALLOW
    assert {answer(machine, socket), answer(machine, execve)} == {EPERM}
    assert (answer(machine, clone, THREAD), answer(machine, clone, PROCESS)) == (ALLOW, EPERM)
    assert (answer(machine, kill, os.getpid()), answer(machine, kill, 1)) == (ALLOW, EPERM)
    assert {answer(machine, 435), answer(machine, 460), answer(machine, 0x40000000 + openat)} == {ENOSYS}
    assert answer(machine, openat, audit_name=0x40000003) == EPERM  # a 32-bit call
