"""Drives the pages with Streamlit's own test driver: opens one, reads what it says, waits for what it shows."""

import time
from collections.abc import Callable
from pathlib import Path

from streamlit.testing.v1 import AppTest

from assistant.i18n.texts import t

ROOT = Path(__file__).parents[3]
TIMEOUT_SECONDS = 30
WAIT_SECONDS = 120.0
POLL_SECONDS = 0.1


def app(**address: str) -> AppTest:
    """The app as a tab that was just opened."""
    test = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=TIMEOUT_SECONDS)
    for name, value in address.items():
        test.query_params[name] = value
    return test.run()


def page(name: str) -> AppTest:
    """One page alone."""
    script = f"""
from assistant.components import theme
from assistant.pages import {name}
from assistant.session import notices
theme.apply_theme()
notices.apply_language()
with notices.show_errors():
    {name}.draw()
"""
    return AppTest.from_string(script, default_timeout=TIMEOUT_SECONDS).run()


def until(test: AppTest, holds: Callable[[AppTest], bool]) -> AppTest:
    """Run the page until something is on it; on a loaded machine the first answer waits for its imports."""
    end = time.monotonic() + WAIT_SECONDS
    while not holds(test) and time.monotonic() < end:
        time.sleep(POLL_SECONDS)
        test.run()
    if holds(test):
        return test
    raise AssertionError(f"it never came to be; the page says {words(test)!r}")


def words(test: AppTest) -> str:
    """All that the page says in markdown and HTML."""
    return "\n".join(str(element.value) for kind in ("markdown", "html") for element in test.get(kind))


def errors(test: AppTest) -> str:
    assert not test.exception
    return "\n".join(element.value for element in test.error)


def ask(test: AppTest, question: str) -> AppTest:
    test.chat_input[0].set_value(question).run()
    return until(test, lambda shown: "mark live" not in words(shown))


def press(test: AppTest, key: str, number: int = 0, **values: object) -> AppTest:
    """Press the button with this interface text; a form's button has no key of its own."""
    label = t(key, **values)
    return [button for button in test.button if button.label == label][number].click().run()
