"""Whether a message is small talk: a greeting, thanks or a goodbye that asks for nothing, in English and Chinese."""

import re

_ENGLISH = (
    r"hi|hello|hey|hiya|good (?:morning|afternoon|evening|day|night)|how are you(?: doing)?(?: today)?|how do you do|"
    r"nice to (?:meet|see) you|thanks?(?: a lot)?|thank you(?: (?:so|very) much)?|many thanks|cheers|welcome|"
    r"bye(?:[- ]bye)?|goodbye|good bye|see you(?: (?:later|soon|tomorrow))?|take care|ok(?:ay)?|great|nice|cool|"
    r"there|you|everyone|again|imprint"
)
_CHINESE = (
    r"你好吗?|您好|大家好|嗨|早上好|下午好|晚上好|早安|晚安|早|谢谢[你您]?|多谢|感谢|再见|拜拜|好的?|很好"
)
_GAP = r"[\s,.!?;:~，。！？；：～、…]*"
_SMALL_TALK = re.compile(rf"{_GAP}(?:(?:\b(?:{_ENGLISH})\b|{_CHINESE}){_GAP})+", re.IGNORECASE)
_LONGEST = 80  # letters


def is_small_talk(message: str) -> bool:
    """Whether nothing else is said: "Hello! How heavy is it?" asks for something."""
    return len(message) <= _LONGEST and _SMALL_TALK.fullmatch(message) is not None
