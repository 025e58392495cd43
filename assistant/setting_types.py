"""Texts that a setting may hold, each with the check that says in words what it should be."""

import json
import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from tuning.models.template_options import RESERVED

MIN_TOKEN_LENGTH = 16
_HOST_NAME = re.compile(r"(\[[0-9a-fA-F:.]+\]|[\w.-]+)(:\d{1,5})?", re.ASCII)


def _not_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "it should not be empty")
    return text


def _http_url(text: str) -> str:
    url = urlsplit(text)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise PydanticCustomError("url", "it should be a URL such as http://127.0.0.1:8000")
    return text


def _long_enough(text: str) -> str:
    if len(text) < MIN_TOKEN_LENGTH:
        raise PydanticCustomError("short", f"it should have at least {MIN_TOKEN_LENGTH} characters")
    return text


def _host_names(text: str) -> str:
    if not all(_HOST_NAME.fullmatch(name) for name in text.replace(",", " ").split()):
        raise PydanticCustomError(
            "hosts",
            "it should be names as a browser shows them, such as imprint.example.org, with commas between",
        )
    return text


def _json_object(text: str) -> str:
    try:
        value = json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict) or RESERVED & value.keys():
        raise PydanticCustomError(
            "options", 'it should be a JSON object of options, such as {"enable_thinking": false}'
        )
    return text


Name = Annotated[str, AfterValidator(_not_blank)]
Token = Annotated[str, AfterValidator(_long_enough)]
HostNames = Annotated[str, AfterValidator(_host_names)]
Url = Annotated[str, AfterValidator(_http_url)]
JsonObject = Annotated[str, AfterValidator(_json_object)]
