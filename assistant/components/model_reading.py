"""Models read what no rule finds a fact in: the switch, the progress, and what they wrote."""

import contextlib
import time
from collections.abc import Callable, Sequence

import streamlit as st

from assistant.components import formatting
from assistant.curation.candidates import Curation, Labeller
from assistant.curation.labeller import CollectingLabeller, RememberingLabeller
from assistant.errors import EngineError, NothingToLearnError, sentence_of
from assistant.i18n.texts import t, translated
from assistant.language.text import has_chinese
from assistant.session import resources
from knowledge.errors import StoreError

Find = Callable[[Labeller | None], Curation]
MOST_UNASKED = 20  # texts that are read without a click: a passage takes a second or two


def unread(find: Find, *, of_messages: bool) -> list[str]:
    """The texts that a model would be asked to read; none where there is none for them."""
    if not of_messages and resources.labeller(of_messages=False) is None:
        return []
    collecting = CollectingLabeller()
    with contextlib.suppress(NothingToLearnError):  # by rules: the model may find something
        find(collecting)
    return list(dict.fromkeys(collecting.texts))


def draw(key: str, find: Find, *, of_messages: bool) -> Curation:
    """What is found, with what models wrote where the switch is on. Raises NothingToLearnError."""
    labeller, texts = resources.labeller(of_messages=of_messages), unread(find, of_messages=of_messages)
    if labeller is None or not texts:
        return find(None)
    count, model = len(texts), resources.workspace().settings.base_model
    label = (
        t("teach.by_reader", count=count) if of_messages else t("teach.by_model", count=count, model=model)
    )
    how = t("teach.by_reader.help") if of_messages else t("teach.by_model.help")
    if not st.toggle(label, value=count <= MOST_UNASKED, key=f"by-model-{key}", help=how):
        return find(None)
    if of_messages and any(map(has_chinese, texts)):
        from assistant.components import embedding_switch  # heavy: torch

        embedding_switch.draw_offer_to_fetch(f"read-{key}", "teach.by_reader.chinese")
    try:
        _read(texts, labeller, of_messages=of_messages)
    except (EngineError, StoreError) as error:
        st.warning(translated(sentence_of(error)))
        return find(None)
    return find(labeller)


def _read(texts: Sequence[str], labeller: RememberingLabeller, *, of_messages: bool) -> None:
    """Read what is not read yet; a click that reruns the page goes on from there."""
    missing = [text for text in texts if not labeller.knows(text)]
    if not missing:
        return
    opens = of_messages and labeller.knows_nothing
    said = t("teach.reader.opening") if opens else t("teach.reading", done=0, total=len(missing))
    bar, begun = st.progress(0.0, text=said), time.monotonic()
    for done, text in enumerate(missing, 1):
        labeller(text)
        left = (time.monotonic() - begun) / done * (len(missing) - done)
        words = t("teach.reading.left", done=done, total=len(missing), left=formatting.seconds(left))
        bar.progress(done / len(missing), text=words)
    bar.empty()
