"""A capable model reads what no rule finds a fact in: the switch, the progress, and what it wrote."""

import contextlib
import time
from collections.abc import Callable, Sequence

import streamlit as st

from assistant.components import formatting
from assistant.curation.candidates import Curation, Labeller
from assistant.curation.labeller import CollectingLabeller, RememberingLabeller
from assistant.errors import EngineError, NothingToLearnError, sentence_of
from assistant.i18n.texts import t, translated
from assistant.session import resources

Find = Callable[[Labeller | None], Curation]
MOST_UNASKED = 20  # texts that are read without a click: a passage takes a second or two


def unread(find: Find) -> list[str]:
    """The texts that a model would be asked to read; none where there is no capable one."""
    if resources.labeller() is None:
        return []
    collecting = CollectingLabeller()
    with contextlib.suppress(NothingToLearnError):  # by rules: the model may find something
        find(collecting)
    return list(dict.fromkeys(collecting.texts))


def draw(key: str, find: Find) -> Curation:
    """What is found, with what the model wrote where the switch is on. Raises NothingToLearnError."""
    labeller, texts = resources.labeller(), unread(find)
    if labeller is None or not texts:
        return find(None)
    count, name = len(texts), resources.workspace().engine().name
    is_on = st.toggle(
        t("teach.by_model", count=count, model=name),
        value=count <= MOST_UNASKED,
        key=f"by-model-{key}",
        help=t("teach.by_model.help"),
    )
    if not is_on:
        return find(None)
    try:
        _read(texts, labeller)
    except EngineError as error:
        st.warning(translated(sentence_of(error)))
        return find(None)
    return find(labeller)


def _read(texts: Sequence[str], labeller: RememberingLabeller) -> None:
    """Read what is not read yet; a click that reruns the page goes on from there."""
    missing = [text for text in texts if not labeller.knows(text)]
    if not missing:
        return
    bar, begun = st.progress(0.0, text=t("teach.reading", done=0, total=len(missing))), time.monotonic()
    for done, text in enumerate(missing, 1):
        labeller(text)
        left = (time.monotonic() - begun) / done * (len(missing) - done)
        words = t("teach.reading.left", done=done, total=len(missing), left=formatting.seconds(left))
        bar.progress(done / len(missing), text=words)
    bar.empty()
