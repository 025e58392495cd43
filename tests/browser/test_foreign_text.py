"""Texts of models, documents and imported chats in a real browser: nothing is asked of another host, nothing runs."""

import json
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from assistant.history.conversations import ConversationStore
from assistant.history.transfer import import_json
from assistant.i18n.texts import t

if TYPE_CHECKING:
    from tests.browser.conftest import Server

pytestmark = pytest.mark.browser
FAR = "http://pictures.invalid/p"


def hostile(place: str) -> str:
    """Every way to name a picture, and to run a script, that is known of."""
    return f"""{place} ![a]({FAR}?{place}1) ![x][far] [![in]({FAR}?{place}2)](http://elsewhere.invalid/) ![half]({FAR}
<img src={FAR}?{place}3 onerror="window.RAN=1"><svg onload="window.RAN=2"><image href="{FAR}?{place}4"/></svg>

- ![item]({FAR}?{place}5) $\\includegraphics{{{FAR}?{place}6}}$ $\\href{{javascript:window.RAN=3}}{{x}}$

| ![cell]({FAR}?{place}7) | [run](javascript:window.RAN=4) |
|---|---|
| <div style="background:url({FAR}?{place}8)"> | \\$![after]({FAR}?{place}9)$ |

<picture><source srcset="{FAR}?{place}12 2x"></picture><img srcset="{FAR}?{place}13"><video poster={FAR}?{place}14>
<link rel=prefetch href={FAR}?{place}15><meta http-equiv=refresh content="0;url={FAR}?{place}16"><base href={FAR}>
![a](//pictures.invalid/{place}17) ![a](<{FAR}?{place}18>) ![a](http:&#x2f;&#x2f;pictures.invalid/{place}19) ![a][Far]
[x](data:text/html,<script>window.RAN=6</script>) [x](JaVaScRiPt:window.RAN=7) [x](java&#10;script:window.RAN=8) [^1]

[^1]: ![note]({FAR}?{place}20)

<script>window.RAN=5</script><style>body {{ background: url({FAR}?{place}10) }}</style>

[far]: {FAR}?{place}11
"""


def conversation() -> str:
    source = {"source": hostile("source"), "title": "<b>t</b>", "text": hostile("passage"), "page": 1}
    answer = {"role": "assistant", "content": hostile("answer"), "memory": "documents"}
    messages = [
        {"role": "user", "content": hostile("question")},
        {**answer, "sources": [{**source, "headings": [hostile("heading")]}]},
        {"role": "user", "content": "Again."},
        {"role": "assistant", "content": hostile("before"), "correction": hostile("correction")},
    ]
    title = f"<img src={FAR}?t1> ![t]({FAR}?t2)"
    return json.dumps({"format": "imprint-conversation", "title": title, "messages": messages})


def test_foreign_texts_ask_no_other_host_and_run_nothing(page: Page, server: "Server") -> None:
    store = ConversationStore(server.home / "conversations.sqlite3")
    number = import_json(store, conversation())
    page.goto(f"{server.url}/?c={number}")
    shown = page.locator("[class*=st-key-assistant-] [data-testid=stMarkdown]")
    expect(shown.first).to_contain_text("answer", timeout=90_000)
    expect(shown.last).to_contain_text("before", timeout=90_000)

    link = shown.first.get_by_role("link", name=t("message.picture", host="pictures.invalid")).first
    expect(link).to_have_attribute("href", f"{FAR}?answer1")
    expect(link).to_have_attribute("target", "_blank")
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    expect(shown.first).to_contain_text("(elsewhere.invalid)")

    page.get_by_placeholder(t("chats.search")).fill("pictures")
    page.keyboard.press("Enter")
    expect(page.locator(".st-key-current .snippet")).to_contain_text("pictures.invalid")
    assert page.locator("main img[src^=http], section img[src^=http]").count() == 0
    assert page.evaluate("window.RAN") is None  # the fixture fails for every request that left
