"""A chat model whose answers are parsed into a schema, in the three ways that LangChain knows.

In each the answer is held to the schema as it is written; they differ in how it is asked for. `json_mode` holds it
too, since nothing is gained by an answer that does not fit.
"""

from collections.abc import Mapping
from operator import itemgetter
from typing import Any, Literal, get_args

from langchain_core.language_models import BaseChatModel
from langchain_core.output_parsers import (
    BaseOutputParser,
    JsonOutputKeyToolsParser,
    JsonOutputParser,
    PydanticOutputParser,
    PydanticToolsParser,
)
from langchain_core.runnables import Runnable, RunnableMap, RunnablePassthrough
from langchain_core.utils.function_calling import convert_to_json_schema, convert_to_openai_tool
from langchain_core.utils.pydantic import is_basemodel_subclass

from assistant.errors import UnsupportedOptionError

Method = Literal["json_schema", "function_calling", "json_mode"]


def with_schema(
    model: BaseChatModel, schema: Mapping[str, Any] | type, method: Method, include_raw: bool
) -> Runnable[Any, Any]:
    """The model with its answers as `schema`: pydantic models as such, everything else as a dict.

    Raises UnsupportedOptionError.
    """
    if method not in get_args(Method):
        raise UnsupportedOptionError(
            "method", f"method is one of {', '.join(get_args(Method))}; {method!r} was given."
        )
    asked, parser = (_as_call if method == "function_calling" else _as_json)(model, schema, method)
    return _with_raw(asked, parser) if include_raw else asked | parser


def _as_json(model: BaseChatModel, schema: Any, method: Method) -> tuple[Runnable[Any, Any], Any]:
    found = convert_to_json_schema(schema)
    form = {"name": str(found.get("title", "answer")), "schema": found}
    asked = model.bind(
        response_format={"type": "json_schema", "json_schema": form}, **_traced(schema, method)
    )
    parser: BaseOutputParser[Any] = JsonOutputParser()
    return asked, PydanticOutputParser(pydantic_object=schema) if _is_pydantic(schema) else parser


def _as_call(model: BaseChatModel, schema: Any, method: Method) -> tuple[Runnable[Any, Any], Any]:
    name = convert_to_openai_tool(schema)["function"]["name"]
    asked = model.bind_tools([schema], tool_choice=name, parallel_tool_calls=False, **_traced(schema, method))
    if _is_pydantic(schema):
        return asked, PydanticToolsParser(tools=[schema], first_tool_only=True)
    return asked, JsonOutputKeyToolsParser(key_name=name, first_tool_only=True)


def _traced(schema: Any, method: Method) -> dict[str, Any]:
    """What LangChain tells those who follow a run."""
    return {"ls_structured_output_format": {"kwargs": {"method": method}, "schema": schema}}


def _is_pydantic(schema: Any) -> bool:
    return isinstance(schema, type) and is_basemodel_subclass(schema)


def _with_raw(asked: Runnable[Any, Any], parser: Any) -> Runnable[Any, Any]:
    """The answer as it came, as it was read, and what went wrong in reading it."""
    read = RunnablePassthrough.assign(parsed=itemgetter("raw") | parser, parsing_error=lambda _: None)
    unread = RunnablePassthrough.assign(parsed=lambda _: None)
    return RunnableMap(raw=asked) | read.with_fallbacks([unread], exception_key="parsing_error")
