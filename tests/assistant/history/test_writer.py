"""Which process writes a message: an answer of a process that is gone does not stream any more."""

import os
import subprocess
import sys

import psutil
import pytest

from assistant.history.writer import is_alive, this_process


def test_this_process_is_alive_and_one_that_ended_is_not() -> None:
    assert is_alive(this_process())
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        writer = f"{child.pid}:{psutil.Process(child.pid).create_time():.2f}"
        assert is_alive(writer)
        child.communicate()
    assert not is_alive(writer)


def test_a_later_process_with_the_same_number_does_not_count() -> None:
    started = float(this_process().partition(":")[2])
    assert not is_alive(f"{os.getpid()}:{started - 60:.2f}")


@pytest.mark.parametrize("writer", ["", "12", "one:two"])
def test_a_message_without_a_writer_is_of_no_living_process(writer: str) -> None:
    assert not is_alive(writer)
