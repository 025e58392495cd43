"""All preferences of a home, weighed: without repetitions, contradictions and secrets; what is left out is said."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass

from assistant.arena.trials import BlindTrials
from assistant.compare.evaluations import Evaluations
from assistant.curation.candidates import LeftOut
from assistant.curation.preferences import JUDGED, KINDS, Findings, Found, T
from assistant.curation.secrets import secret_in
from assistant.errors import CompareError
from assistant.history.conversations import ConversationStore
from assistant.history.preferences import PreferenceStore
from assistant.language.text import normal
from assistant.preferences.sources import read_chats, read_undecided, read_verdicts, read_votes
from knowledge.text.stopwords import STOPWORDS
from knowledge.text.terms import WORD_RUN, terms
from tuning.data.preferences import Judgement, PreferencePair

# With fewer pairs than this, more votes help more than any method does.
ENOUGH_PAIRS = 50
# Words that ask, and name no subject.
_ASKING = STOPWORDS | frozenset(terms("called often long old many"))
# Everything that can be chosen to learn from, pairs first; and what people said of it.
SOURCES = tuple(dict.fromkeys((*KINDS, *JUDGED)))
BY_PEOPLE = tuple(kind for kind in SOURCES if kind != "judge")
CONTRADICTS = "the same two answers were also preferred the other way round"
JUDGED_BOTH_WAYS = "the same answer was found both good and bad"
OVERRULED = "a person preferred the other answer"
SECRET = "it contains {kind}, which anybody who uses the checkpoint could find out"


@dataclass(frozen=True)
class CollectedPreferences:
    """The preferences of a home that can be learned from, oldest first, and what was left out."""

    pairs: tuple[Found[PreferencePair], ...] = ()
    judgements: tuple[Found[Judgement], ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    def pairs_from(self, kinds: Collection[str]) -> list[PreferencePair]:
        """The pairs of these kinds."""
        return [found.item for found in self.pairs if found.kind in kinds]

    def judgements_from(self, kinds: Collection[str]) -> list[Judgement]:
        """The judgements of these kinds."""
        return [found.item for found in self.judgements if found.kind in kinds]

    @property
    def counts(self) -> dict[str, int]:
        """Kind → pairs and judgements, for the kinds that there are, in the order of SOURCES."""
        counts = Counter([found.kind for found in self.pairs])
        counts.update(found.kind for found in self.judgements)
        return {kind: counts[kind] for kind in SOURCES if counts[kind]}

    def topics(self, most: int = 8) -> list[tuple[str, int]]:
        """The words that most of the questions hold, with how many do."""
        prompts = {normal(found.item.prompt[-1]["content"]): None for found in self.pairs}
        counts = Counter(
            word
            for prompt in prompts
            for word in {match[0] for match in WORD_RUN.finditer(prompt)}
            if len(word) > 1 and not word.isdigit() and not _ASKING.issuperset(terms(word))
        )
        return [(word, count) for word, count in counts.most_common(most) if count > 1]


def collect(
    store: ConversationStore, votes: PreferenceStore, trials: BlindTrials, evaluations: Evaluations
) -> CollectedPreferences:
    """All that a home holds. Raises ConversationError where the file of conversations cannot be read."""
    findings = Findings()
    read_votes(votes, findings)
    read_chats(store, findings)
    read_verdicts(evaluations, findings)
    try:
        read_undecided(trials, findings)
    except CompareError as error:  # one damaged trial keeps no other preference out
        findings.left_out.append(LeftOut("", str(error)))
    return weigh(findings)


def weigh(findings: Findings) -> CollectedPreferences:
    """What of the findings can be learned from: each once, and nothing that contradicts itself or is secret."""
    left_out = list(findings.left_out)
    pairs = _people_first(_without_secrets(findings.pairs, left_out), left_out)
    pairs = _consistent(pairs, _chosen, CONTRADICTS, left_out)
    judgements = _without_secrets(findings.judgements, left_out)
    judgements = _consistent(judgements, lambda one: one.good, JUDGED_BOTH_WAYS, left_out)
    return CollectedPreferences(tuple(pairs), tuple(judgements), tuple(left_out))


def _without_secrets(found: Iterable[Found[T]], left_out: list[LeftOut]) -> list[Found[T]]:
    kept = []
    for one in found:
        if secret := _secret_in(one.item):
            left_out.append(LeftOut(_question(one.item), SECRET.format(kind=secret), one.item.source))
        else:
            kept.append(one)
    return kept


def _secret_in(item: PreferencePair | Judgement) -> str:
    """What kind of secret it holds; "" for none. "What is the password? — hunter2" is one only read together."""
    question, answers = _question(item), _answers(item)
    together = (f"{question.rstrip('?？ ')} is: {answer}" for answer in answers)
    return next(filter(None, map(secret_in, (question, *answers, *together))), "")


def _people_first(
    found: Sequence[Found[PreferencePair]], left_out: list[LeftOut]
) -> list[Found[PreferencePair]]:
    """Without verdicts of a judge that go against a person's."""
    by_person = {_subject(one.item): _chosen(one.item) for one in found if one.kind != "judge"}
    kept = []
    for one in found:
        chosen = _chosen(one.item)
        if one.kind == "judge" and by_person.get(_subject(one.item), chosen) != chosen:
            left_out.append(LeftOut(_question(one.item), OVERRULED, one.item.source))
        else:
            kept.append(one)
    return kept


def _consistent(
    found: Sequence[Found[T]], verdict: Callable[[T], Hashable], why: str, left_out: list[LeftOut]
) -> list[Found[T]]:
    """One of each prompt and answers; those on which the verdicts differ are left out, all of them."""
    verdicts: dict[Hashable, set[Hashable]] = defaultdict(set)
    for one in found:
        verdicts[_subject(one.item)].add(verdict(one.item))
    kept: dict[Hashable, Found[T]] = {}
    for one in found:
        if len(verdicts[_subject(one.item)]) > 1:
            left_out.append(LeftOut(_question(one.item), why, one.item.source))
        else:
            kept.setdefault(_subject(one.item), one)
    return list(kept.values())


def _subject(item: PreferencePair | Judgement) -> Hashable:
    """The prompt and the answers, as far as their words go."""
    prompt = tuple((message["role"], normal(message["content"])) for message in item.prompt)
    return prompt, frozenset(map(normal, _answers(item)))


def _answers(item: PreferencePair | Judgement) -> tuple[str, ...]:
    return (item.chosen, item.rejected) if isinstance(item, PreferencePair) else (item.completion,)


def _chosen(pair: PreferencePair) -> Hashable:
    return normal(pair.chosen)


def _question(item: PreferencePair | Judgement) -> str:
    return item.prompt[-1]["content"]
