"""The same question in other words, by rules: what English and Chinese say in more than one way.

English by forms of questions and common attributes (weight, price, place …), Chinese by the table of `wordings`:
both know what can be asked, nothing about any subject.
"""

import random
import re

from tuning.augment.chinese_templates import recognise
from tuning.scoring import is_cjk

# A question's form, and forms that ask the same; {0}, {1} are the parts in brackets.
_FORMS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        r"how heavy (?:is|are) (.+)|how much (?:does|do) (.+) weigh|what does (.+) weigh"
        r"|what is the weight of (.+)",
        ("how much does {0} weigh", "what is the weight of {0}", "how heavy is {0}",
         "what does {0} weigh",
         "the mass of {0} is what", "how many kilos or grams is {0}"),
    ),
    (
        r"how fast (?:is|can|does|are) (.+?)(?: go| drive| fly| run| move)?"
        r"|what is the (?:top |maximum )?speed of (.+)",
        ("how fast is {0}", "what is the top speed of {0}", "how quickly can {0} go",
         "what speed does {0} reach",
         "the maximum speed of {0}"),
    ),
    (
        r"how much (?:does|do) (.+) cost|what does (.+) cost|what is the (?:price|cost) of (.+)"
        r"|how expensive is (.+)",
        ("what is the price of {0}", "how much is {0}", "how expensive is {0}", "what do I pay for {0}",
         "how much money does {0} cost", "what does it cost to get {0}"),
    ),
    (
        r"how deep can (.+?) (?:dive|go)|what is the depth of (.+)|how deep is (.+)",
        ("what depth does {0} reach", "how deep does {0} go", "how far down can {0} go",
         "the depth of {0}"),
    ),
    (
        r"how (?:tall|high) is (.+)|what is the height of (.+)",
        ("what is the height of {0}", "how tall is {0}", "how high is {0}", "what height does {0} have"),
    ),
    (
        r"how (?:big|large) is (.+)|what is the size of (.+)",
        ("what is the size of {0}", "how large is {0}", "how big is {0}", "what size does {0} have"),
    ),
    (
        r"how old is (.+)|what is the age of (.+)",
        ("what is the age of {0}", "how many years old is {0}", "what age is {0}"),
    ),
    (
        r"how far (?:is|can|does) (.+?)(?: fly| go| reach)?|what is the range of (.+)",
        ("what distance does {0} cover", "how far does {0} go", "what is the range of {0}",
         "how many kilometres can {0} go"),
    ),
    (
        r"how long does (.+?) (?:last|take|run)|how long is (.+)|what is the duration of (.+)",
        ("what is the duration of {0}", "for how long does {0} last", "how much time does {0} last",
         "how many hours or minutes does {0} last", "after what time does {0} end"),
    ),
    (
        r"where (?:is|are) (.+?)(?: located| based| built| made)?"
        r"|in (?:which|what) (?:town|city|place|country|village) is (.+)",
        ("where can I find {0}", "what is the location of {0}", "in which place is {0}", "{0} is where",
         "which place is home to {0}", "where do I go to see {0}"),
    ),
    (
        r"when (?:is|was|does|did) (.+)|(?:on|in) (?:which|what) (?:day|date|month|year) (?:is|was) (.+)",
        ("what is the date of {0}", "on which day or in which year {0}", "at what time {0}", "{0}: when",
         "since when {0}"),
    ),
    (
        r"what is the name of (.+)|what is (.+) called|what do (?:you|they) call (.+)",
        ("what is {0} called", "how is {0} called", "what do they call {0}", "tell me the name of {0}",
         "{0} has which name", "by what name is {0} known"),
    ),
    (
        r"who (?:is|was) (?:the )?(?:head|leader|director|boss|chief) of (.+)|who (?:leads|heads|runs) (.+)",
        ("who leads {0}", "who is in charge of {0}", "who runs {0}", "{0} is led by whom",
         "who is the head of {0}"),
    ),
    (
        r"who (designed|built|founded|invented|created|wrote|made|discovered|developed|runs|owns) (.+)",
        ("by whom was {1} {0}", "which person {0} {1}", "{1} was {0} by whom",
         "name the person who {0} {1}",
         "who is the one that {0} {1}", "who stands behind {1}", "whose work is {1}"),
    ),
    (
        r"how many (.+?) (?:does|do|can|did) (.+?) (have|carry|hold|need|make|use|employ|produce)",
        ("what number of {0} does {1} {2}", "{1}: how many {0}", "tell me how many {0} {1} can {2}",
         "what is the count of {0} in {1}", "how large is the number of {0} of {1}"),
    ),
    (
        r"(?:which|what) (.+?) (?:does|do) (.+?) (use|have|need|make|sell|study|speak|carry|run on)",
        ("name the {0} of {1}", "{1} {2} what {0}", "tell me which {0} {1} {2}", "what is the {0} of {1}",
         "which one is the {0} that {1} {2}"),
    ),
    (
        r"(?:which|what) (.+?) (builds|makes|sells|produces|designs|runs|owns|hosts) (.+)",
        ("name the {0} that {1} {2}", "where does {2} come from", "{2} comes from which {0}",
         "by which {0} is {2} made",
         "which {0} is responsible for {2}"),
    ),
    (
        r"(?:what|which) (?:colou?r) (?:is|are) (.+)",
        ("what is the colour of {0}", "in which colour is {0}", "how is {0} painted", "what shade is {0}",
         "what does {0} look like in colour"),
    ),
    (
        r"what (?:is|are|was) the (.+?) (?:of|for|in|on) (.+)",
        ("which {0} does {1} have", "tell me the {0} of {1}", "{1} has which {0}", "what {0} has {1}",
         "name the {0} for {1}", "about {1}: what is the {0}", "{1}'s {0} is what"),
    ),
)  # fmt: skip

_COMPILED = tuple((re.compile(form, re.IGNORECASE), others) for form, others in _FORMS)


def reword(question: str, rng: random.Random) -> str:
    """The question in another form, without its mark; unchanged where no rule knows its form."""
    text = question.strip().rstrip("?？。.! ")
    if is_cjk(text):
        asked = recognise(text)
        return asked.reword(rng) if asked else text
    for form, others in _COMPILED:
        match = form.fullmatch(text)
        if match:
            parts = [part for part in match.groups() if part]
            reworded = rng.choice(others).format(*parts)
            return reworded[0].upper() + reworded[1:]
    return text
