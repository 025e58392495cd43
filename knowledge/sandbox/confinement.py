"""Confinement of this process by the Linux kernel, native code included: Landlock for files, seccomp for calls.

Not confined: metadata (`stat` answers for any path) and what was opened before. `confine` says what is active: other
systems and older kernels have less. No binding is used: those there are need libseccomp, or are for Landlock alone.
https://docs.kernel.org/userspace-api/landlock.html, https://docs.kernel.org/userspace-api/seccomp_filter.html
"""

import ctypes
import os
import platform
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

LANDLOCK, SECCOMP = "landlock", "seccomp"

_PR_SET_NO_NEW_PRIVS = 38
_LANDLOCK_CREATE, _LANDLOCK_ADD_RULE, _LANDLOCK_RESTRICT = 444, 445, 446  # the same on every processor
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
# What Landlock can refuse, by the first version of its interface that can. Handled and not allowed is refused.
_FILE_RIGHTS = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
_NETWORK_RIGHTS = {4: 0b11}  # bind and connect TCP
_SCOPES = {6: 0b11}  # abstract sockets of, and signals to, other processes

# Per processor: the audit name of its system calls, and the numbers of `seccomp` and `clone`.
_PROCESSORS = {"x86_64": (0xC000003E, 317, 56), "aarch64": (0xC00000B7, 277, 220)}
# Refused calls: name, number on x86_64, number on aarch64.
_REFUSED = """
socket 41 198, socketpair 53 199, connect 42 203, bind 49 200, listen 50 201, accept 43 202, accept4 288 242,
sendto 44 206, sendmsg 46 211, sendmmsg 307 269, shmget 29 194, msgget 68 186, semget 64 190, mq_open 240 180,
execve 59 221, execveat 322 281, fork 57 -, vfork 58 -, ptrace 101 117, setns 308 268, unshare 272 97, tkill 200 130,
process_vm_readv 310 270, process_vm_writev 311 271, rt_sigqueueinfo 129 138, rt_tgsigqueueinfo 297 240,
pidfd_send_signal 424 424, pidfd_open 434 434, pidfd_getfd 438 438,
chmod 90 -, fchmod 91 52, fchmodat 268 53, chown 92 -, fchown 93 55, lchown 94 -, fchownat 260 54,
utime 132 -, utimes 235 -, futimesat 261 -, utimensat 280 88, setxattr 188 5, lsetxattr 189 6, fsetxattr 190 7,
removexattr 197 14, lremovexattr 198 15, fremovexattr 199 16,
mount 165 40, umount2 166 39, pivot_root 155 41, chroot 161 51, open_tree 428 428, move_mount 429 429,
fsopen 430 430, fsconfig 431 431, fsmount 432 432, fspick 433 433, mount_setattr 442 442,
open_by_handle_at 304 265, io_uring_setup 425 425, io_uring_enter 426 426, io_uring_register 427 427,
bpf 321 280, perf_event_open 298 241, userfaultfd 323 282, add_key 248 217, request_key 249 218, keyctl 250 219,
personality 135 92
"""
_OWN_PROCESS_ONLY = "kill 62 129, tgkill 234 131, prlimit64 302 261"  # their first argument is a process
_CLONE3, _FIRST_UNKNOWN = 435, 452  # what Linux added after 6.5 is unknown here
_CLONE_THREAD = 0x10000

# Classic BPF: operations, and where `struct seccomp_data` has what they load.
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_CALL_NUMBER, _AUDIT_NAME, _FIRST_ARGUMENT = 0, 4, 16
_ALLOW, _EPERM, _ENOSYS = 0x7FFF0000, 0x00050001, 0x00050026


def confine(readable: Iterable[Path | str]) -> list[str]:
    """Restrict this process, for good, to reading the files and folders in `readable`; returns what is active.

    LANDLOCK: no other file is opened, and none is changed, made or removed. SECCOMP: no sockets, programs, new
    processes, signals to others or changes of metadata; threads are allowed. Each only where this kernel has it.
    Call it before the process starts threads: Landlock binds the calling thread and those that it starts.
    """
    if sys.platform != "linux" or platform.machine() not in _PROCESSORS or sys.byteorder != "little":
        return []
    libc = ctypes.CDLL(None)
    libc.syscall.restype = ctypes.c_long
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, *map(ctypes.c_ulong, (1, 0, 0, 0))):
        return []
    files, calls = _restrict_files(libc, readable), _filter_calls(libc, platform.machine())
    return [name for name, active in ((LANDLOCK, files), (SECCOMP, calls)) if active]


def _call(libc: ctypes.CDLL, number: int, *arguments: int | bytes | None) -> int:
    wide = (ctypes.c_long(one) if isinstance(one, int) else one for one in (number, *arguments))
    return int(libc.syscall(*wide))


def _restrict_files(libc: ctypes.CDLL, readable: Iterable[Path | str]) -> bool:
    threads = Path("/proc/self/task")
    if not threads.is_dir() or len(list(threads.iterdir())) > 1:  # others than this one would stay free
        return False
    version = _call(libc, _LANDLOCK_CREATE, None, 0, 1)
    rights = [_up_to(version, table) for table in (_FILE_RIGHTS, _NETWORK_RIGHTS, _SCOPES)]
    known = 1 if version < 4 else 2 if version < 6 else 3  # fields that this version reads
    ruleset = _call(libc, _LANDLOCK_CREATE, struct.pack("QQQ", *rights), 8 * known, 0) if version > 0 else -1
    if ruleset < 0:
        return False
    try:
        for path in readable:
            _allow_reading(libc, ruleset, path)
        return _call(libc, _LANDLOCK_RESTRICT, ruleset, 0) == 0
    finally:
        os.close(ruleset)


def _up_to(version: int, table: dict[int, int]) -> int:
    return sum(bits for since, bits in table.items() if since <= version)


def _allow_reading(libc: ctypes.CDLL, ruleset: int, path: Path | str) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # not on this machine
    try:
        allowed = _READ_FILE | _READ_DIR if Path(path).is_dir() else _READ_FILE
        _call(libc, _LANDLOCK_ADD_RULE, ruleset, 1, struct.pack("=Qi", allowed, handle), 0)
    finally:
        os.close(handle)


def _filter_calls(libc: ctypes.CDLL, machine: str) -> bool:
    program = filter_program(machine)
    buffer = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HP", len(program) // 8, ctypes.addressof(buffer))
    return _call(libc, _PROCESSORS[machine][1], 1, 1, header) == 0  # 1, 1: a filter, for every thread


def filter_program(machine: str) -> bytes:
    """The seccomp filter in classic BPF: for each call `_ALLOW`, or the error it gets."""
    audit_name, _, clone = _PROCESSORS[machine]
    # (operation, value, label to go to if it holds, label to go to if not); "" is the next line
    lines: list[tuple[int, int, str, str]] = [
        (_LOAD, _AUDIT_NAME, "", ""),
        (_EQUAL, audit_name, "", "refused"),
        (_LOAD, _CALL_NUMBER, "", ""),
        (_AT_LEAST, _FIRST_UNKNOWN, "unknown", ""),
        (_EQUAL, _CLONE3, "unknown", ""),  # its flags lie in memory; the C library falls back on `clone`
        *((_EQUAL, number, "refused", "") for number in _numbers(_REFUSED, machine)),
        (_EQUAL, clone, "clone", ""),
        *((_EQUAL, number, "process", "") for number in _numbers(_OWN_PROCESS_ONLY, machine)),
        (_RETURN, _ALLOW, "", ""),
    ]
    labels = {"clone": len(lines)}
    lines += [(_LOAD, _FIRST_ARGUMENT, "", ""), (_ANY_BIT, _CLONE_THREAD, "allowed", "refused")]
    labels["process"] = len(lines)
    own = [(_EQUAL, 0, "allowed", ""), (_EQUAL, os.getpid(), "allowed", "refused")]
    lines += [(_LOAD, _FIRST_ARGUMENT, "", ""), *own]
    for label, answer in (("allowed", _ALLOW), ("refused", _EPERM), ("unknown", _ENOSYS)):
        labels[label] = len(lines)
        lines.append((_RETURN, answer, "", ""))
    program = b""
    for at, (operation, value, yes, no) in enumerate(lines, 1):
        jumps = (labels[label] - at if label else 0 for label in (yes, no))
        program += struct.pack("HBBI", operation, *jumps, value)
    return program


def _numbers(table: str, machine: str) -> list[int]:
    numbers = (entry.split()[1 if machine == "x86_64" else 2] for entry in table.split(","))
    return [int(number) for number in numbers if number != "-"]
