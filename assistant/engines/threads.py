"""A generator that waits, read from an event loop: it runs in a thread of its own and ends where its reader leaves."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

# Threads of their own: those of an event loop are few, and each answer would hold one up to its end.
_THREADS = ThreadPoolExecutor(64, thread_name_prefix="answer")
_END = object()


async def in_a_thread(items: Iterator[T], cancel: threading.Event) -> AsyncGenerator[T]:
    """Iterate in a thread of its own; a consumer that leaves early sets `cancel` and waits for the thread."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[object] = asyncio.Queue()

    def produce() -> None:
        ending: object = _END
        try:
            for item in items:
                loop.call_soon_threadsafe(queue.put_nowait, (item,))
        except BaseException as error:
            ending = error
        loop.call_soon_threadsafe(queue.put_nowait, ending)

    producer = loop.run_in_executor(_THREADS, produce)
    ended = False
    try:
        while not ended:
            item = await queue.get()
            ended = not isinstance(item, tuple)
            if isinstance(item, BaseException):
                raise item
            if isinstance(item, tuple):
                yield item[0]
    finally:
        if not ended:  # the consumer left
            cancel.set()
        await producer
