"""Background tasks: one at a time per key, in the context of whoever started them, and bounded in number."""

import contextvars
import threading
from collections.abc import Callable

import pytest

from assistant.background import MAX_FINISHED, BackgroundTask, TaskRegistry
from assistant.errors import AssistantError
from assistant.i18n.texts import t, use_language

WAIT_SECONDS = 10.0


@pytest.fixture
def registry() -> TaskRegistry[BackgroundTask]:
    return TaskRegistry("It is still running.")


def until(event: threading.Event) -> Callable[[], None]:
    """Work that ends when the event comes."""

    def wait() -> None:
        assert event.wait(WAIT_SECONDS)

    return wait


def finish(registry: TaskRegistry[BackgroundTask], key: object) -> BackgroundTask:
    task = registry.start(key, BackgroundTask(), lambda: None)
    assert task.wait(WAIT_SECONDS)
    return task


def test_a_key_has_one_running_task_at_a_time(registry: TaskRegistry[BackgroundTask]) -> None:
    go_on = threading.Event()
    first = registry.start("a", BackgroundTask(), until(go_on))
    with pytest.raises(AssistantError, match=r"^It is still running\.$"):
        registry.start("a", BackgroundTask(), lambda: None)
    registry.remove("a")
    assert registry.get("a") is first and registry.running() == [first]
    go_on.set()
    assert first.wait(WAIT_SECONDS) and registry.running() == []
    assert registry.get("a") is first
    registry.remove("a")
    assert registry.get("a") is None


def test_a_task_speaks_the_language_of_the_page_that_started_it(
    registry: TaskRegistry[BackgroundTask],
) -> None:
    said: list[str] = []

    def chinese_page() -> BackgroundTask:
        use_language("zh")
        return registry.start("a", BackgroundTask(), lambda: said.append(t("chats.rename")))

    assert contextvars.copy_context().run(chinese_page).wait(WAIT_SECONDS)
    registry.start("b", BackgroundTask(), lambda: said.append(t("chats.rename"))).wait(WAIT_SECONDS)
    assert said[0] != said[1] and said[1] == t("chats.rename")


def test_the_oldest_finished_tasks_are_evicted_and_running_ones_never(
    registry: TaskRegistry[BackgroundTask],
) -> None:
    go_on = threading.Event()
    running = registry.start("running", BackgroundTask(), until(go_on))
    for key in range(MAX_FINISHED):
        finish(registry, key)
    finish(registry, 0)  # anew: now the newest
    finish(registry, "one more")
    finish(registry, "and another")
    kept = [key for key in range(MAX_FINISHED) if registry.get(key) is not None]
    assert registry.get("running") is running
    assert 1 not in kept and 0 in kept and len(kept) == MAX_FINISHED - 1
    go_on.set()
    assert running.wait(WAIT_SECONDS)


@pytest.mark.parametrize(
    ("raised", "error"),
    [
        (AssistantError("No model."), "No model."),
        (ValueError("odd"), "This failed unexpectedly: odd. The log has more."),
    ],
)
def test_what_a_task_raises_is_its_error(
    registry: TaskRegistry[BackgroundTask], raised: Exception, error: str
) -> None:
    def fail() -> None:
        raise raised

    task = registry.start("a", BackgroundTask(), fail)
    assert task.wait(WAIT_SECONDS) and task.error == error and not task.running


def test_a_stopped_task_runs_until_it_notices(registry: TaskRegistry[BackgroundTask]) -> None:
    task = BackgroundTask()
    registry.start("a", task, until(task.stop_event))
    assert task.running and not task.stopping
    task.stop()
    assert task.stopping and task.wait(WAIT_SECONDS)
