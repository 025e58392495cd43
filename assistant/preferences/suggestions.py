"""Which questions to vote on next: those on which two variants disagree most, and that nobody has voted on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from assistant.arena.pairing import BlindTrial
from assistant.arena.trials import BlindTrials
from assistant.chat.turn import AnswerOptions
from assistant.compare.evaluations import Evaluations
from assistant.compare.questions import Question
from assistant.compare.results import EvaluationResult
from assistant.compare.variants import BASE, Variant
from assistant.errors import CompareError
from assistant.history.conversations import ConversationStore
from assistant.language.text import normal
from assistant.preferences.collect import CollectedPreferences
from tuning.scoring import f1

RECENT_EVALUATIONS = 5
RECENT_CHATS = 20
MOST = 6
MIN_DISAGREEMENT = 0.2  # 1 - F1 of the words; below it two answers hardly differ
SAMPLED = Variant("sampled", temperature=0.9)  # the same model, less sure of itself


@dataclass(frozen=True)
class Suggestion:
    """A question that a vote would tell most about."""

    question: str
    # 0 where the two variants said the same, 1 where they share no word; None where nobody has asked them yet.
    disagreement: float | None = None


@dataclass(frozen=True)
class Suggestions:
    """Questions to vote on, and the two variants whose answers are voted on."""

    variants: tuple[Variant, Variant]
    questions: tuple[Suggestion, ...] = ()


def suggest(
    evaluations: Evaluations,
    chats: ConversationStore,
    collected: CollectedPreferences,
    checkpoints: Sequence[str],
    *,
    has_documents: bool = False,
    most: int = MOST,
) -> Suggestions:
    """What to vote on next: from recent evaluations, and questions of recent chats where those hold too few.

    `checkpoints` can be asked, the newest last.
    """
    known = {normal(found.item.prompt[-1]["content"]) for found in collected.pairs}
    known |= {normal(one.text) for one in collected.left_out}  # a tie, or a secret
    compared = _most_disputed(evaluations, known, checkpoints)
    variants = compared.variants if compared else _default_variants(checkpoints, has_documents)
    questions = list(compared.questions[:most]) if compared else []
    known |= {normal(one.question) for one in questions}
    for text in _asked(chats):
        if len(questions) >= most:
            break
        if normal(text) not in known:
            known.add(normal(text))
            questions.append(Suggestion(text))
    return Suggestions(variants, tuple(questions))


def open_trial(
    trials: BlindTrials, suggestions: Suggestions, question: str, name: str, defaults: AnswerOptions
) -> tuple[BlindTrial, int]:
    """A blind trial between the suggested variants, and the place of the question in it.

    The newest trial of this name between them goes on; otherwise all suggested questions begin a new one.
    """
    there = [one for one in trials.list() if one.name == name and one.variants == suggestions.variants]
    texts = dict.fromkeys((question, *(one.question for one in suggestions.questions)))
    trial = (
        there[0]
        if there
        else trials.create(
            name, suggestions.variants, [Question(text, (), {"own": True}) for text in texts], defaults
        )
    )
    return trial, trials.add_question(trial.id, question)


def disagreement(first: str, second: str) -> float:
    """How much two answers differ in their words: 1 less their F1."""
    return 1.0 - f1(first, [second])


def _most_disputed(
    evaluations: Evaluations, known: Iterable[str], checkpoints: Sequence[str]
) -> Suggestions | None:
    """The two variants of recent evaluations that disagree most in all, and where; None where none do."""
    disputed: dict[tuple[Variant, Variant], dict[str, Suggestion]] = {}
    voted = set(known)
    for result in _recent(evaluations):
        usable = [one for one in result.definitions.values() if _can_answer(one, checkpoints)]
        for pair in combinations(usable, 2):
            there = disputed.setdefault(pair, {})
            for found in _disputed_in(result, pair):
                if normal(found.question) not in voted:
                    there.setdefault(normal(found.question), found)
    if not any(disputed.values()):
        return None
    pair = max(disputed, key=lambda one: sum(found.disagreement or 0 for found in disputed[one].values()))
    ordered = sorted(disputed[pair].values(), key=lambda found: -(found.disagreement or 0))
    return Suggestions(pair, tuple(ordered))


def _recent(evaluations: Evaluations) -> Iterable[EvaluationResult]:
    complete = [plan for plan in evaluations.list() if plan.is_complete]
    for plan in complete[:RECENT_EVALUATIONS]:
        try:
            yield evaluations.result(plan.id)
        except CompareError:  # said where it is opened
            continue


def _disputed_in(result: EvaluationResult, pair: tuple[Variant, Variant]) -> Iterable[Suggestion]:
    first, second = (variant.name for variant in pair)
    for row in result.rows:
        texts = [row.answers[name].text for name in (first, second) if name in row.answers]
        if len(texts) == 2 and all(text.strip() for text in texts):
            value = disagreement(*texts)
            if value >= MIN_DISAGREEMENT:
                yield Suggestion(row.question.text, value)


def _can_answer(variant: Variant, checkpoints: Sequence[str]) -> bool:
    """Whether it can be asked again: its checkpoint is there, and no passage has to be given to it."""
    return not variant.given and (variant.checkpoint is None or variant.checkpoint in checkpoints)


def _default_variants(checkpoints: Sequence[str], has_documents: bool) -> tuple[Variant, Variant]:
    """Where nothing was compared: the newest checkpoint or the documents against the model, or it against itself."""
    if checkpoints:
        return Variant(BASE), Variant(checkpoints[-1], checkpoint=checkpoints[-1])
    return Variant(BASE), Variant("rag", documents=True) if has_documents else SAMPLED


def _asked(chats: ConversationStore) -> Iterable[str]:
    """The first question of each recent chat: it stands alone."""
    for info in chats.list(limit=RECENT_CHATS):
        first = next((one for one in chats.all_messages(info.id) if one.role == "user"), None)
        if first is not None and first.content.strip():
            yield " ".join(first.content.split())
