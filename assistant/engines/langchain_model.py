"""A LangChain chat model over an engine: streaming, async, usage, stop sequences, tools, structured output.

What is said of messages and options stands in `langchain_messages`, how an answer is told apart in `replies`.
"""

import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from typing import Annotated, Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LangSmithParams, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, message_chunk_to_message
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ConfigDict, Field, SkipValidation

from assistant.engines.answering import Answering
from assistant.engines.base import Engine, SamplingParams
from assistant.engines.langchain_chunks import chunks_of
from assistant.engines.langchain_messages import asked_of, shape_of
from assistant.engines.services import answering
from assistant.engines.structured_output import Method, with_schema
from assistant.engines.threads import in_a_thread
from assistant.errors import UnsupportedOptionError

# What a call may set anew; the others are fields alone.
_SAMPLING = (
    "max_tokens", "temperature", "top_p", "seed", "frequency_penalty", "presence_penalty", "logit_bias",
)  # fmt: skip
_CALL_OPTIONS = {
    *_SAMPLING, "model", "cancel", "stream", "strict", "tools", "tool_choice", "parallel_tool_calls", "response_format",
    "logprobs", "top_logprobs",
}  # fmt: skip


class ImprintChatModel(BaseChatModel):
    """Answers with `engine`, through `checkpoint` when one is named.

    A call may name another model: `invoke(..., model="NAME")` answers with that checkpoint, or with the base
    when NAME is the engine's own. `cancel=threading.Event()` ends an answer early. Options that are not known are
    refused with UnsupportedOptionError.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    engine: Annotated[Engine, SkipValidation] = Field(exclude=True, repr=False)
    checkpoint: str | None = None
    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 256
    seed: int | None = None
    stop: list[str] | None = None
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    logit_bias: dict[int, float] | None = None
    streaming: bool = True
    # Seconds after which an answer ends where it is; None waits for its end.
    timeout: float | None = None
    # Taken, since LangChain's models have it: an engine on this machine starts anew by itself.
    max_retries: int | None = None
    # Whether reasoning is told apart from the answer, as `reasoning_content`; if not, the text holds it between tags.
    splits_reasoning: bool = True

    @property
    def _llm_type(self) -> str:
        return "imprint"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": self.checkpoint or self.engine.name, "base": self.engine.name, **self.model_dump()}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop or self.stop, **kwargs)
        params["ls_provider"] = "imprint"
        params.setdefault("ls_model_name", self.checkpoint or self.engine.name)
        return params

    def get_token_ids(self, text: str) -> list[int]:
        """Token ids by the model's own tokenizer."""
        return self.engine.encode(text)

    def get_num_tokens(self, text: str) -> int:
        """Tokens of a bare text."""
        return self.engine.count_text(text)

    def get_num_tokens_from_messages(
        self, messages: list[BaseMessage], tools: Sequence[Any] | None = None
    ) -> int:
        """Tokens of a prompt with the chat template around it, and the tools in it."""
        shape = shape_of({"tools": [convert_to_openai_tool(tool) for tool in tools or ()]})
        return self.engine.count_tokens(asked_of(self.engine, messages, SamplingParams(shape=shape))[0])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        with closing(self._chunks(messages, stop, kwargs)) as chunks:
            for chunk in chunks:
                if run_manager is not None:
                    run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                yield chunk

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        cancel: threading.Event = kwargs.pop("cancel", None) or threading.Event()
        produced = self._chunks(messages, stop, {**kwargs, "cancel": cancel})
        async with aclosing(in_a_thread(produced, cancel)) as chunks:
            async for chunk in chunks:
                if run_manager is not None:
                    await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                yield chunk

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        whole: AIMessageChunk | None = None
        for chunk in self._chunks(messages, stop, kwargs):
            assert isinstance(chunk.message, AIMessageChunk)
            whole = chunk.message if whole is None else whole + chunk.message
        assert whole is not None
        message = message_chunk_to_message(whole)
        assert isinstance(message, AIMessage)
        return ChatResult(generations=[ChatGeneration(message=message)])

    def bind_tools(
        self,
        tools: Sequence[Mapping[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | bool | Mapping[str, Any] | None = None,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The model with tools that it may call. `tool_choice`: "auto", "any", "none", or the name of one."""
        described = [convert_to_openai_tool(tool, strict=strict) for tool in tools]
        return self.bind(tools=described, tool_choice=tool_choice, **kwargs)

    def with_structured_output(
        self,
        schema: dict[str, Any] | type,
        *,
        method: Method = "json_schema",
        include_raw: bool = False,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]:
        """The model with its answers parsed into `schema`, which they are held to; `strict` changes nothing."""
        model = self.model_copy(update=_known(type(self), kwargs)) if kwargs else self
        return with_schema(model, schema, method, include_raw)

    def _chunks(
        self, messages: list[BaseMessage], stop: list[str] | None, options: dict[str, Any]
    ) -> Generator[ChatGenerationChunk, None, None]:
        """Text as it comes, then one empty chunk with the usage and the finish reason."""
        if unknown := sorted(options.keys() - _CALL_OPTIONS):
            raise UnsupportedOptionError(
                unknown[0],
                f"{unknown[0]}: there is no such option. There are: {', '.join(sorted(_CALL_OPTIONS))}.",
            )
        checkpoint = self._checkpoint(options.get("model"))
        engine, checkpoint = answering(self.engine, checkpoint)
        asked, params = asked_of(engine, messages, self._sampling(options))
        answer = Answering(
            engine,
            asked,
            params,
            checkpoint,
            stop or self.stop or (),
            self.splits_reasoning,
            self.timeout,
        )
        return chunks_of(answer, options.get("cancel"))

    def _sampling(self, options: dict[str, Any]) -> SamplingParams:
        given = {name: options.get(name) for name in _SAMPLING}
        chosen = {name: getattr(self, name) if value is None else value for name, value in given.items()}
        bias = {int(token): float(value) for token, value in (chosen.pop("logit_bias") or {}).items()}
        top = options.get("top_logprobs") or 0
        return SamplingParams(
            chosen.pop("max_tokens"),
            **chosen,
            logit_bias=bias,
            top_logprobs=top if options.get("logprobs") else None,
            shape=shape_of(options),
        )

    def _checkpoint(self, model: str | None) -> str | None:
        if model is None:
            return self.checkpoint
        return None if model == self.engine.name else model


def _known(model: type[BaseChatModel], given: dict[str, Any]) -> dict[str, Any]:
    """The fields of the model that are given anew. Raises UnsupportedOptionError for what is none."""
    if unknown := sorted(given.keys() - model.model_fields.keys()):
        raise UnsupportedOptionError(unknown[0], f"{unknown[0]}: there is no such option. Leave it out.")
    return given
