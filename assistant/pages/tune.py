"""The tune page."""

from assistant.pages import look
from assistant.texts import t


def draw() -> None:
    """The page."""
    look.title(t("page.tune"))
