"""Labelled text (spam or not, sentiment, entities) → a question and its answer. Reads no files."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

TEXT_KEYS = ("text", "sentence", "review", "message", "sms", "content", "文本", "内容", "评论", "v2")
LABEL_KEYS = ("label", "labels", "category", "sentiment", "class", "target", "标签", "类别", "情感", "v1")
ENTITY_KEYS = ("entities", "spans", "ner", "实体")
LABELLED, ENTITIES = "labelled text", "labelled entities"  # the reasons that such examples carry
MAX_LISTED_LABELS = 20
NO_ENTITY = {"en": "none", "zh": "无"}
ASK_LABEL = {
    "en": "{text}\n\nWhich label fits this text{labels}? Answer with the label only.",
    "zh": "{text}\n\n这段文本属于哪个类别{labels}？只回答类别。",
}
ASK_ENTITIES = {
    "en": "{text}\n\nList the entities in this text, one a line, as TYPE: entity{labels}.",
    "zh": "{text}\n\n列出这段文本中的实体，每行一个，格式为 类型: 实体{labels}。",
}

Rows = Sequence[tuple[int, Mapping[str, Any]]]


def is_labelled(record: Mapping[str, Any]) -> bool:
    """Whether a record holds a text with its label, or tokens or spans with their entity types."""
    if "tokens" in record and any(k in record for k in ("ner_tags", "tags")):
        return True
    return bool(_key(record, TEXT_KEYS) and (_key(record, LABEL_KEYS) or _key(record, ENTITY_KEYS)))


def labelled_reader(
    records: Sequence[Mapping[str, Any]],
) -> Callable[[Mapping[str, Any]], tuple[str, str] | None]:
    """A function from a record to question and answer (`None` where text or label is empty).

    It sees all records first, because every question lists all labels.
    """
    kinds = sorted({label for record in records if (found := _found(record)) for label, _ in found[1]})

    def read(record: Mapping[str, Any]) -> tuple[str, str] | None:
        found = _found(record)
        return _turn(found, kinds, has_entities(record)) if found else None

    return read


def unnamed_labels(rows: Sequence[tuple[int, list[str]]]) -> Rows:
    """Records out of a table of two nameless columns, one of which holds a few labels; else nothing."""
    if len(rows) < 6 or any(len(row) != 2 for _, row in rows):
        return []
    for label, text in ((0, 1), (1, 0)):
        kinds = {row[label].strip() for _, row in rows}
        if 2 <= len(kinds) <= min(MAX_LISTED_LABELS, len(rows) // 3) and len(
            {row[text] for _, row in rows}
        ) > len(kinds):
            return [(line, {"text": row[text], "label": row[label]}) for line, row in rows]
    return []


Found = tuple[str, list[tuple[str, str]]]  # the text, and (label, what it is the label of)


def _found(record: Mapping[str, Any]) -> Found | None:
    return _entities(record) if has_entities(record) else _label(record)


def _label(record: Mapping[str, Any]) -> Found | None:
    text, label = _value(record, TEXT_KEYS), _value(record, LABEL_KEYS)
    labels = [
        str(one).strip() for one in (label if isinstance(label, list) else [label]) if one not in (None, "")
    ]
    if not isinstance(text, str) or not text.strip() or not any(labels):
        return None
    return text, [(one, "") for one in labels if one]


def has_entities(record: Mapping[str, Any]) -> bool:
    """Whether a record marks parts of its text, instead of labelling the whole."""
    if "tokens" in record or _key(record, ENTITY_KEYS):
        return True
    label = _value(record, LABEL_KEYS)
    return isinstance(label, list) and any(isinstance(one, list | Mapping) for one in label)


def _entities(record: Mapping[str, Any]) -> Found | None:
    if "tokens" in record:
        return _tagged(record["tokens"], record.get("ner_tags", record.get("tags")))
    text = _value(record, TEXT_KEYS)
    spans = _value(record, ENTITY_KEYS) if _key(record, ENTITY_KEYS) else _value(record, LABEL_KEYS)
    if not isinstance(text, str) or not text.strip() or not isinstance(spans, list):
        return None
    found = [_span(text, span) for span in spans]
    return text, [one for one in found if one]


def _span(text: str, span: object) -> tuple[str, str] | None:
    """(type, entity) of `[start, end, type]`, or of an object with type and text or start and end."""
    if isinstance(span, list) and len(span) == 3:
        return str(span[2]), text[int(span[0]) : int(span[1])]
    if isinstance(span, Mapping):
        kind = next((span[k] for k in ("label", "type", "entity_group", "tag") if k in span), "")
        entity = next((span[k] for k in ("text", "word", "entity", "value") if k in span), None)
        if entity is None and "start" in span and "end" in span:
            entity = text[int(span["start"]) : int(span["end"])]
        return (str(kind), str(entity)) if kind and entity else None
    return None


def _tagged(tokens: object, tags: object) -> Found | None:
    """Entities of tokens with B-, I- and O tags (CoNLL); tags that are numbers have lost their names."""
    if not isinstance(tokens, list) or not isinstance(tags, list) or len(tokens) != len(tags) or not tokens:
        return None
    if not all(isinstance(tag, str) for tag in tags):
        return None
    between = "" if any("\u4e00" <= c <= "\u9fff" for c in "".join(map(str, tokens))) else " "
    found: list[tuple[str, str]] = []
    before = "O"
    for token, tag in zip(map(str, tokens), tags, strict=True):
        prefix, _, kind = tag.partition("-")
        if kind and prefix == "I" and found and before.endswith(kind):
            found[-1] = (kind, found[-1][1] + between + token)
        elif tag != "O":
            found.append((kind or tag, token))
        before = tag
    return between.join(map(str, tokens)), found


def _turn(found: Found, kinds: list[str], entities: bool) -> tuple[str, str]:
    text, labels = found
    language = "zh" if any("\u4e00" <= c <= "\u9fff" for c in text) else "en"
    listed = " (" + ", ".join(kinds) + ")" if 0 < len(kinds) <= MAX_LISTED_LABELS else ""
    ask = ASK_ENTITIES if entities else ASK_LABEL
    question = (
        ask[language].format(text="{text}", labels=listed.replace("{", "{{")).replace("{text}", text, 1)
    )
    if entities:
        return question, "\n".join(f"{kind}: {entity}" for kind, entity in labels) or NO_ENTITY[language]
    return question, ", ".join(kind for kind, _ in labels)


def _key(record: Mapping[str, Any], keys: Iterable[str]) -> str | None:
    return next((key for key in keys if key in record), None)


def _value(record: Mapping[str, Any], keys: Iterable[str]) -> object:
    key = _key(record, keys)
    return record[key] if key else None
