"""Temporary memory: which parts of a conversation fit the context window, and which are dropped.

Pure: it counts tokens with the function it is given and knows no model. The oldest turns are dropped first,
passages last.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from assistant.errors import PromptTooLongError
from tuning.data.examples import Message

CountMessages = Callable[[Sequence[Message]], int]
Render = Callable[[Sequence[str], str], str]

PARTS = ("system", "examples", "passages", "history", "question")
_CACHE_SIZE = 20_000
_MARGIN = 2


@dataclass(frozen=True)
class Budget:
    """The messages that are sent, and how they fill the window (all figures in tokens)."""

    messages: tuple[Message, ...]
    # Tokens of each of PARTS; they add up to `total`. The template's own tokens count as "system".
    used: dict[str, int]
    total: int
    window: int
    # Kept free for the answer.
    reserve: int
    # The messages of the history that were dropped, oldest first: history[:len(forgotten)].
    forgotten: tuple[Message, ...] = ()
    # The passages as sent, best first; fewer or shorter than given where they did not fit.
    passages: tuple[str, ...] = ()
    passages_left_out: int = 0
    passages_shortened: bool = False

    @property
    def free(self) -> int:
        """Tokens left when the answer takes its whole reserve."""
        return self.window - self.total - self.reserve


@dataclass
class TokenCounter:
    """Counts single messages through a chat template, with a cache.

    `count` takes whole conversations. A message counts as what it adds to one, which is exact for templates
    that format each message by itself, such as ChatML; `fit` corrects for others by one count of the whole.
    """

    count: CountMessages
    # Tokens of a bare text.
    count_text: Callable[[str], int] = len
    _texts: dict[str, int] = field(default_factory=dict, repr=False)
    _known: dict[str, int] = field(default_factory=dict, repr=False)
    _frame: tuple[int, int, int] | None = field(default=None, repr=False)

    def __call__(self, messages: Sequence[Message]) -> int:
        return self.count(messages)

    def text(self, text: str) -> int:
        """Tokens of a bare text: the same sentences of documents are counted for many questions."""
        if text not in self._texts:
            if len(self._texts) >= _CACHE_SIZE:
                self._texts.clear()
            self._texts[text] = self.count_text(text)
        return self._texts[text]

    def message(self, message: Message) -> int:
        """Tokens that `message` adds to a conversation."""
        empty, of_user, of_assistant = self._overheads()
        content = message["content"]
        if content not in self._known:
            if len(self._known) >= _CACHE_SIZE:
                self._known.clear()
            self._known[content] = max(0, self.count([{"role": "user", "content": content}]) - empty)
        return self._known[content] + (of_assistant if message["role"] == "assistant" else of_user)

    def _overheads(self) -> tuple[int, int, int]:
        """Template tokens of a conversation with one empty message, and of each further user or assistant one."""
        if self._frame is None:
            user, assistant = {"role": "user", "content": ""}, {"role": "assistant", "content": ""}
            one, two = self.count([user]), self.count([user, assistant])
            self._frame = (one, max(0, self.count([user, assistant, user]) - two), max(0, two - one))
        return self._frame


def fit(
    question: str,
    *,
    counter: TokenCounter,
    window: int,
    reserve: int,
    system: str = "",
    few_shot: Sequence[Message] = (),
    passages: Sequence[str] = (),
    history: Sequence[Message] = (),
    render: Render | None = None,
) -> Budget:
    """Choose what is sent so that prompt and answer fit the window.

    `passages` are given best first and `render(passages, question)` puts them into the last message. What
    does not fit is dropped in this order: whole turns of `history`, oldest first; the worst passages; the end
    of the best one. Raises PromptTooLongError when system prompt, examples and question alone are too long.
    """
    render = render or _below_each_other
    head: list[Message] = [{"role": "system", "content": system}] if system.strip() else []
    head += few_shot
    room = window - reserve
    bare = counter([*head, _user_message(question)])
    if bare > room:
        raise _too_long(question, head, counter, window, reserve, bare)

    kept = _fitting_passages(passages, question, render, counter, room - bare)
    last = _user_message(render(kept, question) if kept else question)
    turns = _turns(history)
    fixed = counter([*head, last])
    first = _first_kept_turn(turns, counter, room - fixed)
    while True:
        recent = [message for turn in turns[first:] for message in turn]
        messages = [*head, *recent, last]
        total = counter(messages) if recent else fixed
        if total <= room or first >= len(turns):
            break
        first += 1  # the template costs more than the sum of its messages
    forgotten = tuple(message for turn in turns[:first] for message in turn)
    return Budget(
        messages=tuple(messages),
        used=_shares(counter, few_shot, recent, question, last, total),
        total=total,
        window=window,
        reserve=reserve,
        forgotten=forgotten,
        passages=tuple(kept),
        passages_left_out=len(passages) - len(kept),
        passages_shortened=bool(kept) and kept[-1] != passages[len(kept) - 1],
    )


def _fitting_passages(
    passages: Sequence[str], question: str, render: Render, counter: TokenCounter, room: int
) -> list[str]:
    """The passages that fit `room` beside the bare question; only the best one is ever shortened."""
    bare = counter.message(_user_message(question))

    def fits(chosen: Sequence[str]) -> bool:
        # A message may tokenise slightly differently inside the conversation than alone: leave a margin.
        return counter.message(_user_message(render(chosen, question))) - bare <= room - _MARGIN

    kept = list(passages)
    while kept and not fits(kept):
        kept.pop()
    if kept or not passages:
        return kept
    low, high = 0, len(passages[0])
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits([passages[0][:middle]]) else (low, middle - 1)
    shortened = _at_word(passages[0], low)
    return [shortened] if shortened else []


def _first_kept_turn(turns: Sequence[Sequence[Message]], counter: TokenCounter, room: int) -> int:
    used = 0
    for position in range(len(turns) - 1, -1, -1):
        used += sum(counter.message(message) for message in turns[position])
        if used > room:
            return position + 1
    return 0


def _turns(history: Sequence[Message]) -> list[list[Message]]:
    """Messages grouped by turn, each beginning with a user message: a turn is dropped as a whole."""
    turns: list[list[Message]] = []
    for message in history:
        if message["role"] == "user" or not turns:
            turns.append([])
        turns[-1].append(message)
    return turns


def _shares(
    counter: TokenCounter,
    few_shot: Sequence[Message],
    recent: Sequence[Message],
    question: str,
    last: Message,
    total: int,
) -> dict[str, int]:
    """Tokens by part; what the template adds beyond the messages is counted with the system prompt."""
    asked = counter.message(_user_message(question))
    used = {
        "examples": sum(counter.message(message) for message in few_shot),
        "passages": max(0, counter.message(last) - asked),
        "history": sum(counter.message(message) for message in recent),
        "question": asked,
    }
    excess = max(0, sum(used.values()) - total)
    for part in used:  # only a template that merges messages makes the parts exceed the whole
        taken = min(excess, used[part])
        used[part] -= taken
        excess -= taken
    return {"system": total - sum(used.values()), **used}


def _too_long(
    question: str, head: Sequence[Message], counter: TokenCounter, window: int, reserve: int, bare: int
) -> PromptTooLongError:
    asked = counter([_user_message(question)])
    if asked > window - reserve or not head:
        sentence = (
            f"The question has {asked:,} tokens, and the model's window of {window:,} leaves "
            f"{window - reserve:,} for it when {reserve:,} are kept for the answer. "
            "Shorten it, or add the long text as a document."
        )
        return PromptTooLongError(sentence, tokens=asked, window=window)
    sentence = (
        f"System prompt, examples and question have {bare:,} tokens, and the model's window of {window:,} "
        f"leaves {window - reserve:,} for them when {reserve:,} are kept for the answer; the question alone "
        f"has {asked:,}. "
        "Shorten the system prompt or its examples."
    )
    return PromptTooLongError(sentence, tokens=bare, window=window)


def _at_word(text: str, length: int) -> str:
    """The start of `text`, ended at a space where one is near: Chinese has none and is cut where it is."""
    if length >= len(text):
        return text
    start = text[:length]
    space = start.rfind(" ", max(0, length - 40))
    return (start[:space] if space > 0 else start).rstrip()


def _below_each_other(passages: Sequence[str], question: str) -> str:
    return "\n\n".join([*passages, question])


def _user_message(question: str) -> Message:
    return {"role": "user", "content": question}
