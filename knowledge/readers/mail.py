"""Mail → blocks: who, when and what about, the text once, and its attachments, each by its own reader."""

import email
import email.policy
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from email.message import EmailMessage, Message

from knowledge.errors import DocumentError
from knowledge.readers.blocks import Block, ParsedFile, one_line
from knowledge.readers.encodings import decode
from knowledge.readers.html import load_html
from knowledge.readers.markdown import load_text

MAX_PARTS = 1_000
MAX_BOUNDARIES = 20_000  # lines that may divide parts; Python's parser takes a second for so many
MAX_DEPTH = 5  # of mails attached to mails
_TOO_MANY = f"it holds more than {MAX_PARTS:,} parts, as no mail does"
FEW_WORDS = 8  # that one form of a mail may lack of the other: a line on how to see it
LOST_SHARE = 0.2  # of its words
_WORD = re.compile(r"\w+")
_SHOWN = ("Subject", "From", "To", "Cc", "Date")
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_MBOX_START = re.compile(rb"^From \S.*\d{4}\s*$", re.MULTILINE)

ReadAttachment = Callable[[bytes, str, str], ParsedFile]  # content, name, content type


def load_mail(data: bytes, read: ReadAttachment) -> ParsedFile:
    """The blocks of one message (.eml). Raises DocumentError when it has no header that a mail has."""
    message = _message(data)
    if not any(message[name] for name in _SHOWN):
        raise DocumentError("it is named as a mail and has no sender, subject or date: it is no mail")
    return _Reader(read).message(message)


def load_mailbox(data: bytes, read: ReadAttachment) -> ParsedFile:
    """The blocks of a mailbox (.mbox): its messages one after the other, each under its subject."""
    starts = [match.start() for match in _MBOX_START.finditer(data)]
    if not starts:
        return load_mail(data, read)
    reader = _Reader(read)
    blocks: list[Block] = []
    notes: list[str] = []
    for start, end in zip(starts, [*starts[1:], len(data)], strict=True):
        parsed = reader.message(_message(data[start:end].split(b"\n", 1)[-1]))
        blocks += [Block("heading", parsed.title or "(no subject)", level=1), *map(_lower, parsed.blocks)]
        notes += parsed.notes
    return ParsedFile("", tuple(blocks), tuple(notes))


def _message(data: bytes) -> EmailMessage:
    if data.count(b"\n--") > MAX_BOUNDARIES or data.lower().count(b"boundary=") > MAX_PARTS:
        raise DocumentError(_TOO_MANY)
    message = email.message_from_bytes(_readable_header(data), policy=email.policy.default)
    assert isinstance(message, EmailMessage)  # what the default policy makes
    return message


def _readable_header(data: bytes) -> bytes:
    """The mail with a header in UTF-8 that stands there unencoded in any encoding."""
    end = _HEADER_END.search(data)
    header = data[: end.start()] if end else data
    if header.isascii():
        return data
    return decode(header).encode("utf-8") + data[len(header) :]


class _Reader:
    """Reads a message and what is attached to it; `parts` counts over all of them."""

    def __init__(self, read: ReadAttachment) -> None:
        self.read = read
        self.parts = 0
        self.notes: list[str] = []

    def message(self, message: EmailMessage, depth: int = 0) -> ParsedFile:
        self.notes = self.notes if depth else []
        header = "\n".join(f"{name}: {text}" for name in _SHOWN if (text := _header(message, name)))
        blocks = [Block("text", header)] if header else []
        forms = [found for kind in ("plain", "html") if (found := message.get_body((kind,))) is not None]
        blocks += _fuller([_body(form) for form in forms])
        for part in self._attachments(message, forms):
            inline = part.get_content_maintype() == "text" and not part.get_filename()
            blocks += _body(part) if inline else self._attachment(part, depth)
        return ParsedFile(_header(message, "Subject"), tuple(blocks), tuple(self.notes))

    def _attachments(self, message: EmailMessage, forms: Sequence[Message]) -> Iterator[EmailMessage]:
        for part, is_other in _leaves(message):
            self.parts += 1
            if self.parts > MAX_PARTS:
                raise DocumentError(_TOO_MANY)
            inline = part.get_content_maintype() == "text" and not part.get_filename()
            shown = not inline or not is_other
            if not any(part is form for form in forms) and shown and isinstance(part, EmailMessage):
                yield part

    def _attachment(self, part: EmailMessage, depth: int) -> list[Block]:
        name = one_line(part.get_filename() or "")
        try:
            if part.get_content_type() == "message/rfc822":
                inner = part.get_payload(0)
                if depth >= MAX_DEPTH or not isinstance(inner, EmailMessage):
                    return []
                parsed = self.message(inner, depth + 1)
                parsed, name = replace(parsed, notes=()), name or parsed.title
            else:
                content = part.get_payload(decode=True)
                if not isinstance(content, bytes) or not (name or content):
                    return []
                parsed = self.read(content, name, part.get_content_type())
        except DocumentError as error:
            self.notes.append(f"its attachment {name or part.get_content_type()} was not read: {error}")
            return [Block("text", f"Attachment: {name}")] if name else []
        self.notes += [f"{name}: {note}" for note in parsed.notes]
        heading = Block("heading", f"Attachment: {name}" if name else "Attachment", level=1)
        return [heading, *map(_lower, parsed.blocks)]


def _leaves(message: Message) -> Iterator[tuple[Message, bool]]:
    """The parts that hold something, and whether each is another form of one; a mail inside is one of them."""
    waiting = [(message, False)]
    while waiting:
        part, is_other = waiting.pop()
        payload = part.get_payload()
        if part.get_content_maintype() != "multipart" or not isinstance(payload, list):
            yield part, is_other
            continue
        parts = [one for one in payload if isinstance(one, Message)]
        plain = next(
            (one for one in parts if one.get_content_type() == "text/plain"), parts[0] if parts else None
        )
        alternative = part.get_content_subtype() == "alternative"
        waiting += [(one, is_other or (alternative and one is not plain)) for one in reversed(parts)]


def _header(message: Message, name: str) -> str:
    return one_line(str(message[name] or ""))


def _body(part: Message) -> list[Block]:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes) or not content.strip():
        return []
    charset = part.get_content_charset() or ""
    if part.get_content_type() == "text/html":
        return list(load_html(content, charset).blocks)
    text = decode(content, charset)
    if str(part.get_param("format")).lower() == "flowed":
        text = re.sub(r"(?<!^--) \n(?!>)", " ", text, flags=re.MULTILINE)  # a line that was only wrapped
    return list(load_text(text).blocks)


def _fuller(forms: Sequence[list[Block]]) -> list[Block]:
    """Of the text and the page that a mail holds: the text, the page where it says more, or both where each does."""
    written = [form for form in forms if form]
    if len(written) < 2:
        return [block for form in written for block in form]
    text, page = written
    if not (_says_more(page, text) or any(map(_is_of_records, page))):
        return text
    return [*text, *page] if _says_more(text, page) else page


def _says_more(one: Sequence[Block], other: Sequence[Block]) -> bool:
    words, known = ({word for block in form for word in _WORD.findall(block.text)} for form in (one, other))
    missing = len(words - known)
    return missing > FEW_WORDS and missing > LOST_SHARE * len(words)


def _is_of_records(block: Block) -> bool:
    """Whether it is a table whose rows begin with one name, and not one that a page is laid out with."""
    names = [line.partition(": ")[0] for line in block.text.split("\n") if ": " in line]
    return block.kind == "table" and len(set(names)) < len(names)


def _lower(block: Block) -> Block:
    """A heading of an attachment stands under the attachment's."""
    return replace(block, level=block.level + 1) if block.kind == "heading" else block
