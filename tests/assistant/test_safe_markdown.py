"""Markdown of others is written anew: no picture is left, links name their host, code and words stay."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from assistant.safe_markdown import escaped, host_of, rewrite

FAR = "http://far.example/p"
HOSTILE = f"""# A ![title]({FAR}?1)

One ![a]({FAR}?2 "t"), ![x][far], ![far][], ![far] and [![in]({FAR}?3)]({FAR}?4) <img src={FAR}?5>.
A line ![of
two](<{FAR}?6>) and \\![not a picture]({FAR}?7), &#33;[e]({FAR}?8), !\\[f]({FAR}?9).

- ![l]({FAR}?10)
  > ![q]({FAR}?11) $\\includegraphics{{{FAR}?12}}$

| a | ![c]({FAR}?13) |
|---|---|
| `x\\|y` | ![d]({FAR}?14) |

<svg><image href="{FAR}?15"/></svg>

<div style="background:url({FAR}?16)">

[far]: {FAR}?17
"""
PIECES = st.sampled_from(
    [
        "![", "[", "]", "](", ")", "a", " ", "\n", "\n\n", "![a](", "http://far.example/p", "<", ">", "`", "```", "~~~",
        "\\", "!", "&#33;", "*", "**", "~~", "- ", "> ", "1. ", "    ", "|", "|-|-|\n", "[a]: http://far.example/q\n",
        "[a]", "$", "<img src=http://far.example/r>", "//far.example/s", "javascript:alert(1)",
        "data:image/png;base64,x", "#", "\t", "\u00a0", "_", ":", "\ufffd", "\U000f0000", '"', "'", "![a][a]",
        "www.far.example", "灯笼",
    ]
)  # fmt: skip


def nodes_of(markdown: str) -> list[SyntaxTreeNode]:
    """All nodes that another configuration of the parser finds, HTML included."""
    parser = MarkdownIt("commonmark", {"html": True, "maxNesting": 200}).enable(["table", "strikethrough"])
    return list(SyntaxTreeNode(parser.parse(markdown)).walk())


def loads_nothing(markdown: str) -> bool:
    return not any(node.type in ("image", "html_inline", "html_block") for node in nodes_of(markdown))


def shown(markdown: str) -> str:
    """The words that are seen."""
    kinds = ("text", "code_inline", "fence", "code_block", "softbreak", "hardbreak")
    return "".join(node.content or " " for node in nodes_of(markdown) if node.type in kinds)


def test_no_kind_of_picture_is_left_and_each_says_where_it_is() -> None:
    written = rewrite(HOSTILE, "image from {host}")
    assert loads_nothing(written)
    assert shown(written).count("image from far.example") == 11
    assert "of two" in shown(written).replace("\n", " ")


@pytest.mark.parametrize("end", range(0, len(HOSTILE), 3))
def test_half_a_picture_loads_nothing(end: int) -> None:
    assert loads_nothing(rewrite(HOSTILE[:end] + " ▍"))


@given(st.lists(PIECES, max_size=40).map("".join), st.data())
def test_nothing_is_loaded_and_no_link_hides_its_host(text: str, data: st.DataObject) -> None:
    places = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=3)))
    written = rewrite(text, marks=[(place, " :badge[1]") for place in places])
    if "[" not in text and "$" not in text and not places:
        assert written == text
        return
    assert loads_nothing(written)
    for node in nodes_of(written):
        if node.type == "link":
            host = host_of(str(node.attrs["href"]))
            assert host
            assert host in shown(written)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("[a.com](http://evil.example/?b&copy;=2)", "[a.com](<http://evil.example/?b%C2%A9=2>) (evil.example)"),
        ("[x](https://bank.com@evil.example/)", "[x](<https://bank.com@evil.example/>) (evil.example)"),
        ("[x](/settings) [y](//evil.example/z) [z](data:text/html,x)", "x y [z](data:text/html,x)"),
        ("[x](javascript:alert(1))", "[x](javascript:alert(1))"),
        ("$5 at http://a.example/b_c.", "$5 at <http://a.example/b_c>."),
        ("![d](data:image/png;base64,x)[", "🖼 d["),
        ("- [ ] open\n- [x] done", "- [ ] open\n- [x] done"),
        ("3) a $\n4) b", "3) a $\n4) b"),
        ("a\\\nb  \nc [", "a\\\nb\\\nc ["),
        ("`![a](b)` and ``x`y``", "`![a](b)` and ``x`y``"),
        ("```py\nx = ['$1']\n```", "```py\nx = ['$1']\n```"),
    ],
)  # fmt: skip
def test_the_rest_stays_as_it_was(text: str, written: str) -> None:
    found = rewrite(text)
    assert re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", found) == written
    assert loads_nothing(found)


def test_marks_stand_behind_their_sentence_and_not_in_code() -> None:
    text = "**One.** `Two. x` Three."
    written = rewrite(text, marks=[(6, " :a[1]"), (13, " :b[2]"), (len(text), " [:c[3]](#d)")])
    assert written == "**One\\. :a[1]** `Two. x` Three\\. [:c[3]](#d)"


def test_a_text_of_a_megabyte_is_shown_plainly() -> None:
    assert rewrite("![a](" * 200_000) == escaped("![a](" * 200_000)
