"""Variants answer questions in batches: retrieve, fill the prompt, generate, score. Every part is reused."""

import time
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace

from assistant.chat.chat import Chat
from assistant.chat.context_window import Budget
from assistant.chat.nothing_found import nothing_found, nothing_known
from assistant.chat.retrieval import Found, as_taught
from assistant.chat.turn import AnswerOptions, TurnState
from assistant.compare.answer_cache import AnswerCache
from assistant.compare.answers import ScoredAnswer, score
from assistant.compare.questions import Question
from assistant.compare.variants import Variant
from assistant.engines.base import Engine, Message
from assistant.history.sources import Source
from assistant.language.refusals import is_refusal
from assistant.language.thinking import answer_of

MAX_NEW_TOKENS = 48


class VariantRunner:
    """Asks variants the same questions under the same conditions; each question is retrieved for once.

    A variant without sampling of its own answers greedily, with at most `max_tokens` tokens. Answers in `cache`
    are not generated again.
    """

    def __init__(
        self,
        chat: Chat,
        engine: Engine,
        defaults: AnswerOptions,
        cache: AnswerCache | None = None,
        *,
        max_tokens: int = MAX_NEW_TOKENS,
    ) -> None:
        self._chat, self.engine = chat, engine
        self._defaults = replace(
            defaults, temperature=0.0, max_new_tokens=min(defaults.max_new_tokens, max_tokens)
        )
        self._retriever = _CachedRetriever(chat)
        self._generator = _CachedGenerator(engine, cache)

    def answer(self, variant: Variant, questions: Sequence[Question]) -> list[ScoredAnswer]:
        """The variant's answers, in the order of the questions. Raises AssistantError, KnowledgeError."""
        options = [variant.answer_options(self._defaults, question.passage) for question in questions]
        retrieved = [
            self._retriever.retrieve(question.text, own)
            for question, own in zip(questions, options, strict=True)
        ]
        asked = zip(questions, options, retrieved, strict=True)
        fitted = {
            place: self._chat.fitted(TurnState(question=question.text, passages=found.passages), own)
            for place, (question, own, (found, _)) in enumerate(asked)
            if not found.noted and not _is_rejected(own, found)
        }
        read = [place for place in fitted if self._chat.base_reads(options[place], retrieved[place][0])]
        generated = self._generated(read, fitted, replace(options[0], memory="documents", checkpoint=None))
        words = {
            place: self._in_their_words(questions[place], options[place], retrieved[place][0], text)
            for place, (text, _) in generated.items()
        }
        unread = [place for place in read if is_refusal(generated[place][0]) and not words[place]]
        for place in unread:  # the checkpoint does not read the passages either
            bare = TurnState(question=questions[place].text, passages=())
            fitted[place] = self._chat.fitted(bare, options[place])
        rest = [place for place in fitted if place not in generated or place in unread]
        for place, (text, seconds) in self._generated(rest, fitted, options[0]).items():
            seconds += generated.get(place, ("", 0.0))[1]  # the base was asked, too
            question, own, (found, _) = questions[place], options[place], retrieved[place]
            if own.memory == "documents":
                words[place] = self._in_their_words(question, own, found, text)
            elif not found.is_taught:
                passages = found.passages or found.rejected
                text = self._held_against_lessons(question, own, text, passages)
            generated[place] = text, seconds
        answers = []
        for place, (question, (found, retrieving)) in enumerate(zip(questions, retrieved, strict=True)):
            text, generating, tokens, sent = found.noted, 0.0, 0, found.passages
            if _is_rejected(options[place], found):
                text = nothing_found("")
            elif not found.noted:  # a note is quoted as it stands: no prompt, no generation
                (text, generating), (budget, sent) = generated[place], fitted[place]
                tokens = budget.total
                if words.get(place):
                    text, sent = words[place], found.passages
                elif (taught := as_taught(text, found)).noted:
                    text, sent = taught.noted, taught.passages
            answers.append(
                score(question, text, prompt_tokens=tokens, seconds=generating + retrieving, sources=sent)
            )
        return answers

    def _in_their_words(self, question: Question, options: AnswerOptions, found: Found, answer: str) -> str:
        """The sentence of the passages in place of what was misread; "" where the answer stands."""
        return self._chat.in_their_words(question.text, options, found.passages, answer)

    def _held_against_lessons(
        self, question: Question, options: AnswerOptions, answer: str, passages: Sequence[Source]
    ) -> str:
        """The answer, or what is said in place of one that is made up."""
        can_be = self._chat.can_be_made_up(question.text, options)
        if can_be and self._chat.is_made_up(question.text, options, answer, passages):
            return nothing_known(options.uses_documents)
        return answer

    def _generated(
        self,
        places: Sequence[int],
        fitted: Mapping[int, tuple[Budget, tuple[Source, ...]]],
        options: AnswerOptions,
    ) -> dict[int, tuple[str, float]]:
        prompts = [fitted[place][0].messages for place in places]
        return dict(zip(places, self._generator.generate(prompts, options), strict=True))


def _is_rejected(options: AnswerOptions, found: Found) -> bool:
    """Whether documents alone were to answer, and what was found holds no answer: then no model is asked.

    Where nothing was found at all, which the chat says as well, the model answers what it knows: a question about the
    rest of the world then tells what it has forgotten.
    """
    return options.memory == "documents" and bool(found.rejected) and not found.noted


class _CachedRetriever:
    """Passages of a question and the seconds they took: retrieved once, charged to every variant."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._known: dict[Hashable, tuple[Found, float]] = {}

    def retrieve(self, question: str, options: AnswerOptions) -> tuple[Found, float]:
        if not options.reads_passages and not options.notes:
            return Found(), 0.0
        key: Hashable = (
            *(question, options.given, options.knowledge_base, options.documents, options.passages),
            (options.memory, options.checkpoint) if options.notes else None,
        )
        if key not in self._known:
            began = time.monotonic()
            found = self._chat.find(question, options)
            self._known[key] = (found, time.monotonic() - began)
        return self._known[key]


class _CachedGenerator:
    """Texts for prompts, each with its seconds: from the cache, or from the engine and then kept."""

    def __init__(self, engine: Engine, cache: AnswerCache | None) -> None:
        self._engine = engine
        self._cache = cache

    def generate(
        self, prompts: Sequence[Sequence[Message]], options: AnswerOptions
    ) -> list[tuple[str, float]]:
        if not prompts:
            return []
        identity = self._engine.identity(options.checkpoint) if self._cache is not None else None
        if self._cache is None or identity is None:
            return self._generate(prompts, options)
        if options.temperature > 0:
            identity = f"{identity}/{options.temperature}/{options.top_p}/{options.seed or 0}"
        keys = [self._cache.key(identity, prompt, options.max_new_tokens) for prompt in prompts]
        missing = {key: prompt for key, prompt in zip(keys, prompts, strict=True) if not self._cache.get(key)}
        if missing:
            self._cache.add(dict(zip(missing, self._generate(list(missing.values()), options), strict=True)))
        return [self._cache.get(key) or ("", 0.0) for key in keys]

    def _generate(
        self, prompts: Sequence[Sequence[Message]], options: AnswerOptions
    ) -> list[tuple[str, float]]:
        began = time.monotonic()
        if options.temperature > 0:
            texts = [self._sample(prompt, options) for prompt in prompts]
        else:
            texts = self._engine.complete(
                prompts, checkpoint=options.checkpoint, max_new_tokens=options.max_new_tokens
            )
        each = (time.monotonic() - began) / len(prompts)
        return [(answer_of(text), each) for text in texts]

    def _sample(self, prompt: Sequence[Message], options: AnswerOptions) -> str:
        """One sampled answer; the same seed gives the same."""
        return "".join(
            self._engine.stream(
                prompt, replace(options.sampling, seed=options.seed or 0), checkpoint=options.checkpoint
            )
        )
