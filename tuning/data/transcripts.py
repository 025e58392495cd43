"""Transcripts: "User: …", "Assistant: …" at the beginning of lines, bold, or as headings, in English and Chinese.

Only the two names that a chat begins with divide it: another name, or a label within an answer, is text.
"""

import re
from collections.abc import Iterator

from tuning.data.imported import ImportedConversation, Record, read_messages, string_of

_USER = "user|human|you|me|question|q|customer|prompter|用户|使用者|人类|我|问|问题|提问"
_ASSISTANT = (
    r"assistant|ai|bot|chatbot|chatgpt|gpt(?:-[\w.]+)?|claude|gemini|copilot|model|answer|a"
    "|助手|助理|机器人|模型|答|回答|答案"
)
_NAMES = f"(?P<user>{_USER})|(?P<assistant>{_ASSISTANT})|(?P<system>system|系统)"
# "User: …", "**User:** …", "> User: …"; "## User" on a line of its own; "### Human: …" wherever it stands.
_TURN = re.compile(
    rf"(?:^[ \t>]*(?P<heading>\#{{1,6}}[ \t]*)?(?:\*\*|__)?|(?P<inline>\#{{3}}[ \t]+))(?:{_NAMES})"
    rf"(?P<end>[ \t]*(?:\*\*|__)?[ \t]*[:：][ \t]*(?:\*\*|__)?|(?:\*\*|__)?[ \t]*$)",
    re.MULTILINE | re.IGNORECASE,
)
_APART = re.compile(r"^(?:[ \t]*(?:-{3,}|={3,}|\*{3,}|_{3,})[ \t]*|<\|endoftext\|>)$", re.MULTILINE)
_TITLE = re.compile(r"\A\s*#[ \t]+(?P<title>[^\n]+)\n")
_END = re.compile(r"\s*(?:</s>|<\|endoftext\|>)\s*\Z")


def looks_like_transcript(text: str) -> bool:
    """Whether a text begins with what a person said, or with a system's words, and has an answer."""
    turns = list(_turns(_without_title(text.lstrip("\ufeff"))))
    asked = bool(turns) and turns[0][0] in ("user", "system")
    return asked and {"user", "assistant"} <= {role for role, _ in turns}


def transcript_records(text: str) -> Iterator[tuple[int, Record]]:
    """The chats of a file, which lines of dashes divide, each with the line it begins on."""
    begin = 0
    for apart in _APART.finditer(text):
        following = _APART.search(text, apart.end())
        if looks_like_transcript(text[apart.end() : following.start() if following else len(text)]):
            yield _record(text, begin, apart.start())
            begin = apart.end()
    yield _record(text, begin, len(text))


def _record(text: str, begin: int, end: int) -> tuple[int, Record]:
    blank = len(text[begin:end]) - len(text[begin:end].lstrip())
    return text.count("\n", 0, begin + blank) + 1, {"text": text[begin:end]}


def is_transcript(record: Record) -> bool:
    """Whether a record's text is a chat, and nothing says that it is labelled."""
    return "label" not in record and looks_like_transcript(string_of(record.get("text")))


def read_transcript(record: Record) -> ImportedConversation | None:
    """One chat; what was asked last and never answered is left out."""
    text = record["text"].lstrip("\ufeff")
    title = _TITLE.match(text)
    messages = [{"role": role, "content": said} for role, said in _turns(_without_title(text))]
    while messages and messages[-1]["role"] != "assistant":
        messages.pop()
    return read_messages({"messages": messages, "title": title["title"].strip() if title else ""})


def _without_title(text: str) -> str:
    title = _TITLE.match(text)
    return text[title.end() :] if title and not _TURN.match(text.strip()) else text


def _turns(text: str) -> Iterator[tuple[str, str]]:
    """Who says what. Nothing where the text does not begin with a name."""
    found: list[re.Match[str]] = []
    names: dict[str, str] = {}  # by role, the name that it has in this text
    for match in _TURN.finditer(text):
        named = names.setdefault(_role(match), match[_role(match)].casefold())
        if named == match[_role(match)].casefold() and (
            ":" in match["end"] or "：" in match["end"] or match["heading"]
        ):
            found.append(match)
    if not found or text[: found[0].start()].strip():
        return
    for match, following in zip(found, [*found[1:], None], strict=True):
        said = text[match.end() : following.start() if following else len(text)].strip()
        yield _role(match), _END.sub("", said)


def _role(match: re.Match[str]) -> str:
    return next(role for role in ("user", "assistant", "system") if match[role])
