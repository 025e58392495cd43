"""The lesson that a question asks for in far words, by how alike they are and how likely the weights hold its answer.

Likeness alone does not tell the right lesson from its neighbours, and the weights alone do not find the words for what
they hold. Each knows what the other does not: see docs/memory-log.md, "Lessons beside the weights". The amounts were
chosen in English. The vectors know no other script: all Chinese texts are alike to them, and nothing is found there.
"""

import unicodedata
from collections.abc import Callable, Sequence

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

# answer -> the mean log-probability of its tokens, as the checkpoint's answer to the question
Likelihood = Callable[[str], float]


def nearest(
    question: str,
    lessons: Sequence[Example],
    encode: Encode,
    likelihood: Likelihood,
    enough: float = ENOUGH,
) -> Example | None:
    """The lesson that the question asks for by likeness and likelihood together; None where none is likely enough.

    None as well for a question in another script than Latin.
    """
    if any(one.isalpha() and not unicodedata.name(one, "").startswith("LATIN") for one in question):
        return None
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
