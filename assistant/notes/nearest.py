"""The lesson that a question asks for in far words.

In Latin script by how alike they are and how likely the weights hold its answer. Likeness alone does not tell the right
lesson from its neighbours, and the weights alone do not find the words for what they hold. The packaged vectors know no
other script: all Chinese texts are alike to them. There the multilingual ones compare, where they were fetched, whole
questions and what is left without the longest text that both have, mostly the subject; they need no likelihood. See
docs/memory-log.md, "Lessons beside the weights".
"""

import unicodedata
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher

import numpy as np

from assistant.notes.matching import Encode, may_answer
from knowledge.text.terms import terms
from tuning.data.examples import Example

# Of likeness, less what unlikely answers lose. .6 answers one more of 36 taught questions, and 10 more of 36 others.
ENOUGH = 0.9
ENOUGH_BESIDE_DOCUMENTS = 1.0  # there a passage may answer
_WEIGHT = 0.2  # of a token's mean log-probability
_UNLIKELIEST = -6.0  # a token; worse makes no difference
_MOST = 3  # lessons whose answers the weights are asked about
# The mean of the two cosines of other scripts, whose values lie close together.
ENOUGH_ALIKE = 0.945
ENOUGH_ALIKE_BESIDE_DOCUMENTS = 0.953
_COMPARED = 5  # lessons whose questions are compared without the subject
_SUBJECT = 2  # characters at least
_MARKS = "？?。 "

# answer -> the mean log-probability of its tokens, as the checkpoint's answer to the question
Likelihood = Callable[[str], float]


def in_far_words(
    question: str,
    lessons: Sequence[Example],
    encode: Encode,
    multilingual: Encode | None,
    likelihood: Likelihood | None,
    beside_documents: bool = False,
) -> Example | None:
    """The lesson that the question asks for in far words; None where none does, or what would tell is missing.

    That is `likelihood` in Latin script, and the `multilingual` vectors in others.
    """
    if is_latin(question):
        enough = ENOUGH_BESIDE_DOCUMENTS if beside_documents else ENOUGH
        return None if likelihood is None else nearest(question, lessons, encode, likelihood, enough)
    enough = ENOUGH_ALIKE_BESIDE_DOCUMENTS if beside_documents else ENOUGH_ALIKE
    return None if multilingual is None else most_alike(question, lessons, multilingual, enough)


def nearest(
    question: str,
    lessons: Sequence[Example],
    encode: Encode,
    likelihood: Likelihood,
    enough: float = ENOUGH,
) -> Example | None:
    """The lesson that the question asks for by likeness and likelihood together; None where none is likely enough."""
    possible = [lesson for lesson in lessons if may_answer(question, lesson)]
    if not possible:
        return None
    alike = likeness(question, possible, lessons, encode)
    # No answer is likelier than certain, so what is not alike enough by itself need not be asked for.
    near = [place for place in np.argsort(-alike)[:_MOST] if alike[place] >= enough]
    scores = [
        alike[place] + _WEIGHT * max(_UNLIKELIEST, likelihood(possible[place].answer)) for place in near
    ]
    if not scores or max(scores) < enough:
        return None
    return possible[near[int(np.argmax(scores))]]


def most_alike(
    question: str, lessons: Sequence[Example], multilingual: Encode, enough: float = ENOUGH_ALIKE
) -> Example | None:
    """The lesson that the question asks for by likeness alone, in any script; None where none is alike enough."""
    possible = [lesson for lesson in lessons if may_answer(question, lesson)]
    if not possible:
        return None
    vectors = multilingual([question, *(f"{lesson.question} {lesson.answer}" for lesson in possible)])
    whole = vectors[1:] @ vectors[0]
    near = np.argsort(-whole)[:_COMPARED]
    pairs = [without_subject(question, possible[place].question) for place in near]
    bare = multilingual([text for pair in pairs for text in pair])
    scores = (whole[near] + (bare[::2] * bare[1::2]).sum(axis=1)) / 2
    best = int(np.argmax(scores))
    return possible[near[best]] if scores[best] >= enough else None


def without_subject(one: str, other: str) -> tuple[str, str]:
    """Two questions with "it" in place of the longest text that both have, which mostly is what they are about."""
    one, other = one.rstrip(_MARKS), other.rstrip(_MARKS)
    same = SequenceMatcher(None, one, other, autojunk=False).find_longest_match()
    if same.size < _SUBJECT:
        return one, other
    return (
        f"{one[: same.a]}它{one[same.a + same.size :]}",
        f"{other[: same.b]}它{other[same.b + same.size :]}",
    )


def is_latin(text: str) -> bool:
    """Whether all letters of a text are Latin."""
    return not any(one.isalpha() and not unicodedata.name(one, "").startswith("LATIN") for one in text)


def likeness(
    question: str, possible: Sequence[Example], lessons: Sequence[Example], encode: Encode
) -> np.ndarray:
    """How alike a question and each of the possible lessons are [possible], about 0 to 2.

    By vectors, and by shared words. A word counts by how few of all `lessons` hold it.
    """
    texts = [f"{lesson.question} {lesson.answer}" for lesson in possible]
    vectors = encode([question, *texts])
    asked = frozenset(terms(question))
    held = [frozenset(terms(f"{lesson.question} {lesson.answer}")) for lesson in lessons]
    weights = {word: np.log((len(held) + 1) / (sum(word in one for one in held) + 0.5)) for word in asked}
    whole = sum(weights.values()) or 1.0
    shared = [sum(weights[word] for word in asked & frozenset(terms(text))) / whole for text in texts]
    return np.asarray(vectors[1:] @ vectors[0] + np.array(shared))
