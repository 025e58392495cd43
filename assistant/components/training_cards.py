"""The examples of a tuning job as cards: what will be learned, what nobody has judged, what was left out, and why.

It edits a draft; what is offered is decided in `assistant.curation`.
"""

from collections.abc import Sequence

import streamlit as st

from assistant.components import formatting, html_blocks
from assistant.curation.candidates import Candidate, Curation, LeftOut
from assistant.curation.submission import EDITED, EditedRow, line_key, turn_of
from assistant.errors import ConversationError
from assistant.i18n.texts import t, translated
from assistant.session import resources
from assistant.session.training_draft import TrainingDraft

KINDS = {"corrected": "good", "noted": "good", "said": "live", "liked": "live", "documents": "documents"}
MAX_OPEN = 40  # cards of a group that are drawn at once
LONGEST = 700  # characters of a message that are quoted


def draw(curation: Curation, draft: TrainingDraft) -> list[EditedRow]:
    """The cards; the rows as a person left them."""
    draft.update(curation.candidates)
    known = {line_key(one): one for one in curation.candidates}
    sure = [place for place, row in enumerate(draft.rows) if not row.of or known[row.of].ticked]
    unsure = [place for place in range(len(draft.rows)) if place not in sure]
    messages = _Messages()
    with st.container(key="training-cards"):
        _draw_group("learn", sure, draft, known, messages)
        _draw_group("unsure", unsure, draft, known, messages)
        st.button(
            t("teach.add"), icon=":material/add:", key="add-example", type="tertiary", on_click=draft.add
        )
        _draw_left_out(curation.left_out, messages)
    return draft.rows


class _Messages:
    """What was said in the turns that examples come from; each conversation is read once a run."""

    def __init__(self) -> None:
        self._turns: dict[int, list[str]] = {}

    def of(self, source: str) -> str:
        """The message of "conversation 3, turn 2"; "" for other sources, and where it is gone."""
        found = turn_of(source)
        if found is None:
            return ""
        conversation, turn = found
        if conversation not in self._turns:
            self._turns[conversation] = _said_in(conversation)
        said = self._turns[conversation]
        return said[turn - 1][:LONGEST] if 0 < turn <= len(said) else ""


def _said_in(conversation: int) -> list[str]:
    try:
        messages = resources.workspace().store.get(conversation).messages
    except ConversationError:
        return []
    return [one.content for one in messages if one.role == "user" and one.content.strip()]


def _draw_group(
    name: str, places: Sequence[int], draft: TrainingDraft, known: dict[str, Candidate], messages: _Messages
) -> None:
    if not places:
        return
    ticked = sum(draft.rows[place].learn for place in places)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{t(f'teach.{name}')}**", width="content")
        st.html(html_blocks.badge(t("teach.ticked", count=ticked, total=len(places))), width="stretch")
        all_ticked = ticked == len(places)
        st.button(
            t("teach.none" if all_ticked else "teach.all"),
            key=f"tick-{name}",
            type="tertiary",
            on_click=draft.tick,
            args=(places, not all_ticked),
        )
    html_blocks.quiet(t(f"teach.{name}.note"))
    for place in places[:MAX_OPEN]:
        _draw_card(place, draft, known.get(draft.rows[place].of), messages)
    if len(places) > MAX_OPEN:
        with st.expander(t("teach.more_cards", count=len(places) - MAX_OPEN), type="compact"):
            for place in places[MAX_OPEN:]:
                _draw_card(place, draft, known.get(draft.rows[place].of), messages)


def _draw_card(place: int, draft: TrainingDraft, candidate: Candidate | None, messages: _Messages) -> None:
    row = draft.rows[place]
    with st.container(border=True, key=f"lesson-{'on' if row.learn else 'off'}-{place}"):
        if draft.editing == place:
            _draw_editor(place, draft)
            return
        with st.container(horizontal=True, vertical_alignment="top", gap="small", wrap=False):
            _draw_tick(place, draft)
            st.html(_described(row, candidate), width="stretch")
            said = messages.of(candidate.example.source) if candidate else ""
            if said:
                with st.popover(
                    t("teach.message"), icon=":material/chat:", type="tertiary", key=f"icon-said-{place}"
                ):
                    html_blocks.paragraph(said)
            if st.button(
                t("teach.edit"), icon=":material/edit:", key=f"icon-edit-row-{place}", type="tertiary"
            ):
                draft.editing = place
                st.rerun(scope="fragment")


def _draw_tick(place: int, draft: TrainingDraft) -> None:
    row, key = draft.rows[place], f"learn-{draft.opened}-{place}"
    st.checkbox(
        t("teach.learn.this", question=formatting.escape_markdown(row.question)),
        row.learn,
        key=key,
        label_visibility="collapsed",
        width="content",
        on_change=lambda: draft.change(place, learn=st.session_state[key]),
    )


def _draw_editor(place: int, draft: TrainingDraft) -> None:
    row = draft.rows[place]
    with st.form(f"lesson-form-{place}", border=False):
        question = st.text_input(t("teach.question"), row.question, key=f"question-{draft.opened}-{place}")
        answer = st.text_area(
            t("teach.answer"), row.answer, key=f"answer-{draft.opened}-{place}", height="content"
        )
        with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
            removed = st.form_submit_button(t("teach.remove"), icon=":material/delete:", type="tertiary")
            cancelled = st.form_submit_button(t("cancel"), type="tertiary")
            done = st.form_submit_button(t("teach.edit.done"), type="primary")
    if removed or (cancelled and not row.question and not row.answer):
        draft.remove(place)
    elif done:
        draft.change(place, question=question or "", answer=answer or "")
        draft.opened += 1
    if removed or cancelled or done:
        draft.editing = None
        st.rerun(scope="fragment")


def _described(row: EditedRow, candidate: Candidate | None) -> str:
    """Question and answer below each other, what the answer takes the place of, and why it is here."""
    replaced = candidate.replaced if candidate else ""
    before = f"<s>{html_blocks.escaped(replaced)}</s> → " if replaced else ""
    note = "" if replaced or candidate is None else candidate.note
    remark = f'<p class="quiet">{html_blocks.escaped(translated(note))}</p>' if note else ""
    return (
        f'<div class="lesson"><b>{html_blocks.escaped(row.question)}</b>'
        f"<p>{before}{html_blocks.escaped(row.answer)}</p>{_why(row, candidate)}{remark}</div>"
    )


def _why(row: EditedRow, candidate: Candidate | None) -> str:
    if candidate is None:
        return html_blocks.badge(t("reason.added"), "good")
    example = candidate.example
    badges = html_blocks.badge(t(f"reason.{candidate.kind}"), KINDS.get(candidate.kind, "warn"))
    if (row.question, row.answer) != (example.question, example.answer):
        badges += " " + html_blocks.badge(translated(EDITED), "good")
    return badges


def _draw_left_out(left_out: Sequence[LeftOut], messages: _Messages) -> None:
    if not left_out:
        return
    with st.expander(t("teach.left_out", count=len(left_out)), type="compact", key="left-out"):
        for item in left_out:
            said = messages.of(item.source)
            quoted = (
                "" if said in ("", item.text) else f'<p class="quiet">“{html_blocks.escaped(said[:200])}”</p>'
            )
            st.html(
                f'<div class="lesson"><b>{html_blocks.escaped(item.text[:200])}</b>'
                f"<p>{html_blocks.escaped(translated(item.why))}</p>{quoted}</div>"
            )
