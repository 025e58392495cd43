"""Markdown of models, documents and other people, written anew so that showing it loads nothing.

A parser reads the text; what is shown is written from its tokens, with every other sign escaped: a page that reads
markdown differently finds no picture either. Pictures become their alternative text with a link, links name the host
they go to, HTML stays text. It does not change code, and knows no page.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

PICTURE = "\N{FRAME WITH PICTURE}"
_FIRST_MARK, _MOST_MARKS = 0xF0000, 4096  # characters for private use: where `marks` are put
_MARKS = re.compile(f"[{chr(_FIRST_MARK)}-{chr(_FIRST_MARK + _MOST_MARKS - 1)}]")
_MOST_CHARACTERS = 100_000  # reading more would take seconds: it is shown as plain text
_SIGNS = re.compile(r"[!-/:-@\[-`{-~]")
_ADDRESS = re.compile(r"https?://[\w\-.~:/?#@!$&'()*+,;=%]+", re.ASCII | re.IGNORECASE)
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]")
_LANGUAGE = re.compile(r"[\w+#.-]*", re.ASCII)
_TASK = re.compile(r"\\\[([ xX])\\\] ")
_ALIGNED = {"text-align:left": ":--", "text-align:right": "--:", "text-align:center": ":-:"}
_parser = MarkdownIt("commonmark", {"html": False, "maxNesting": 50}).enable(["table", "strikethrough"])


def rewrite(
    text: str, from_host: str = "{host}", marks: Sequence[tuple[int, str]] = (), *, html: bool = False
) -> str:
    """`text` as markdown that loads nothing and in which a dollar sign begins no formula.

    The pages show no HTML; with `html` the text is for another program, which might.

    `from_host` labels the link to a picture, with `{host}` for its host. `marks` are pieces of trusted markdown,
    each with the place in `text` behind which it stands, in ascending order; within code they are left out.
    """
    return _rewritten(text, from_host, tuple(marks), html)


@lru_cache(maxsize=1024)  # a page draws every message anew in each run
def _rewritten(text: str, from_host: str, marks: tuple[tuple[int, str], ...], html: bool) -> str:
    if not marks and not (html and "<" in text) and "[" not in text and "$" not in text:
        return (
            text  # without a bracket there is neither a picture nor a link with other words than its address
        )
    if len(text) > _MOST_CHARACTERS:
        return "\\\n".join(escaped(line) for line in text.splitlines())
    placed = {chr(_FIRST_MARK + number): mark for number, (_, mark) in enumerate(marks[:_MOST_MARKS])}
    pieces, last = [], 0
    for sign, (place, _) in zip(placed, marks, strict=False):
        pieces += [_MARKS.sub("", text[last:place]), sign]
        last = place
    source = "".join([*pieces, _MARKS.sub("", text[last:])])
    written = _Writer(from_host).blocks(SyntaxTreeNode(_parser.parse(source)).children)
    return _MARKS.sub(lambda found: placed.get(found[0], ""), written)


def host_of(address: str) -> str:
    """The host (and port) that a browser would ask, or "" where it would ask none over HTTP."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https"):
        return ""
    host = f"[{host}]" if ":" in host else host
    return f"{host}:{port}" if port and _HOST.fullmatch(host) else host if _HOST.fullmatch(host) else ""


def escaped(text: str) -> str:
    """`text` on one line with every sign of markdown escaped."""
    return _SIGNS.sub(r"\\\g<0>", re.sub(r"\s", " ", text))


class _Writer:
    """Tokens → markdown."""

    def __init__(self, from_host: str) -> None:
        self._from_host = from_host
        self._in_link = False
        self._pictures: list[str] = []  # those of a link: they follow it

    def blocks(self, nodes: Sequence[SyntaxTreeNode], between: str = "\n\n") -> str:
        return between.join(self._block(node) for node in nodes)

    def _block(self, node: SyntaxTreeNode) -> str:
        match node.type:
            case "paragraph":
                return self._inline(node).strip()
            case "heading":
                return f"{'#' * int(node.tag[1])} {_one_line(self._inline(node))}"
            case "fence" | "code_block":
                return _code(node)
            case "blockquote":
                return _indented(self.blocks(node.children), "> ", "> ")
            case "bullet_list" | "ordered_list":
                return self._list(node)
            case "table":
                return self._table(node)
            case "hr":
                return "___"  # stars would join those of a list
        return escaped(node.content)

    def _list(self, node: SyntaxTreeNode) -> str:
        number, between, items = int(node.attrs.get("start", 1)), "\n\n", []
        if any(
            child.type == "paragraph" and child.hidden for item in node.children for child in item.children
        ):
            between = "\n"
        for item in node.children:
            marker = f"{number}{item.markup} " if node.type == "ordered_list" else f"{item.markup} "
            text = _TASK.sub(r"[\1] ", self.blocks(item.children, between), count=1)
            items.append(_indented(text, marker, " " * len(marker)))
            number += 1
        return between.join(items)

    def _table(self, node: SyntaxTreeNode) -> str:
        rows = [row for part in node.children for row in part.children]
        lines = ["| " + " | ".join(self._cell(cell) for cell in row.children) + " |" for row in rows]
        kinds = [_ALIGNED.get(str(cell.attrs.get("style", "")), "---") for cell in rows[0].children]
        return "\n".join([lines[0], f"| {' | '.join(kinds)} |", *lines[1:]])

    def _cell(self, node: SyntaxTreeNode) -> str:
        return re.sub(r"(?<!\\)\|", r"\\|", _one_line(self._inline(node)))

    # ---- inside a line

    def _inline(self, node: SyntaxTreeNode) -> str:
        return self._spans(node.children[0].children) if node.children else ""

    def _spans(self, nodes: Sequence[SyntaxTreeNode]) -> str:
        return "".join(self._span(node) for node in nodes)

    def _span(self, node: SyntaxTreeNode) -> str:
        match node.type:
            case "text":
                return self._text(node.content)
            case "code_inline":
                return _code_span(_MARKS.sub("", node.content))
            case "softbreak":
                return "\n"
            case "hardbreak":
                return "\\\n"
            case "em" | "strong" | "s":
                sign = {"em": "*", "strong": "**", "s": "~~"}[node.type]
                return f"{sign}{self._spans(node.children)}{sign}"
            case "link":
                return self._link(node)
            case "image":
                return self._picture(node)
        return escaped(node.content)

    def _text(self, text: str) -> str:
        pieces, last = [], 0
        for found in _ADDRESS.finditer("" if self._in_link else text):
            address = found[0].rstrip(".,;:!?'*_~)")
            if host_of(address):
                pieces += [escaped(text[last : found.start()]), f"<{address}>"]
                last = found.start() + len(address)
        return "".join([*pieces, escaped(text[last:])])

    def _link(self, node: SyntaxTreeNode) -> str:
        address = _address(node, "href")
        if address and node.info == "auto" and not self._in_link:
            return f"<{address}>"
        outer, self._in_link = self._in_link, True
        words = self._spans(node.children)
        self._in_link = outer
        pictures, self._pictures = " ".join(["", *self._pictures]), []
        if not address:
            return f"{words}{pictures}"
        return f"[{words}]({_target(address)}) ({escaped(host_of(address))}){pictures}"

    def _picture(self, node: SyntaxTreeNode) -> str:
        """The alternative text, and a link to the picture where it lies on a host."""
        text, address = f"{PICTURE} {escaped(_plain(node))}".rstrip(), _address(node, "src")
        if not address:
            return text
        label = escaped(self._from_host.replace("{host}", host_of(address)))
        shown = f"([{label}]({_target(address)}))"
        if self._in_link:
            self._pictures.append(shown)
            return text
        return f"{text} {shown}"


def _address(node: SyntaxTreeNode, attribute: str) -> str:
    """The address of a link or picture where it has a host, and nothing in it could end it early."""
    address = re.sub("%F3%B[0-9A-F]%[89AB][0-9A-F]%[89AB][0-9A-F]", "", str(node.attrs.get(attribute, "")))
    return address if host_of(address) and not re.search(r'[\s<>"\\`|]', address) else ""


def _target(address: str) -> str:
    return f"<{address.replace('&', '&amp;')}>"


def _plain(node: SyntaxTreeNode) -> str:
    """The words of a picture's alternative text, without their form."""
    if node.type in ("softbreak", "hardbreak"):
        return " "
    return "".join(map(_plain, node.children)) if node.children else node.content


def _code(node: SyntaxTreeNode) -> str:
    content = _MARKS.sub("", node.content)
    fence = "`" * max(3, _longest_run(content) + 1)
    language = _LANGUAGE.match(node.info.strip())
    return f"{fence}{language[0] if language else ''}\n{content}{'' if content.endswith(chr(10)) else chr(10)}{fence}"


def _code_span(content: str) -> str:
    fence = "`" * (_longest_run(content) + 1)
    padded = content.startswith("`") or content.endswith("`") or content == content.strip(" ") == ""
    padded = padded or (content.startswith(" ") and content.endswith(" "))
    return f"{fence} {content} {fence}" if padded else f"{fence}{content}{fence}"


def _longest_run(content: str) -> int:
    return max((len(run) for run in re.findall("`+", content)), default=0)


def _one_line(text: str) -> str:
    return re.sub(r"\s*\\?\n\s*", " ", text).strip()


def _indented(text: str, first: str, others: str) -> str:
    lines = text.split("\n")
    rest = (f"{others}{line}" if line else others.rstrip() for line in lines[1:])
    return "\n".join([f"{first}{lines[0]}" if lines[0] else first.rstrip(), *rest])
