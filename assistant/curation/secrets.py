"""Finds secrets, which must not be learned: passwords, keys, card and account numbers."""

import math
import re
from collections import Counter

_WORDS = (
    r"pass(?:word|code|phrase)s?|pwd|pin(?: code)?|secret(?: key)?|api[ _-]?keys?|access[ _-]?keys?|"
    r"private key|tokens?|"
    r"credentials?|security code|cvv|wi-?fi key|密码|口令|密钥|验证码|令牌|私钥"
)
# A name of a secret, and something that could be one after it.
_NAMED = re.compile(
    rf"(?:\b(?:{_WORDS})\b|密码|口令|密钥|验证码|令牌|私钥)[^\n.?!。？！]{{0,40}}?"
    r"(?:\bis\b|\bare\b|=|:|：|是|为|\bset to\b)\s*[\"'“‘`]?(?P<value>[^\s\"'”’`,，。?？]{3,})",
    re.IGNORECASE,
)
_HARMLESS = frozenset(
    re.findall(
        r"\w+",
        "called stored kept used needed required changed sent the a an not never always in on at for your "
        "my our too very "
        "long short wrong correct secret safe important necessary empty written valid 什么 多少 多长",
    )
)
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("a private key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")),
    (
        "an access key",
        re.compile(
            r"\b(?:sk-[\w-]{16,}|gh[pousr]_\w{20,}|github_pat_\w{20,}|xox[abprs]-[\w-]{10,}|AKIA[0-9A-Z]{16}|"
            r"AIza[\w-]{30,}|hf_\w{20,}|glpat-[\w-]{16,}|ya29\.[\w-]{20,})"
        ),
    ),
    ("a signed token", re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}")),
    ("a password in an address", re.compile(r"\b\w+://[^\s/:@]+:[^\s/@]{3,}@")),
    ("an account number", re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,4})?\b")),
)
# All that `secret_in` can find
KINDS = (*dict(_PATTERNS), "a password or key", "a card number")
_CARD = re.compile(r"\b(?:\d[ -]?){13,19}\b")
_LONG_TOKEN = re.compile(r"(?<![\w/.@-])[A-Za-z0-9+/_-]{24,}={0,2}(?![\w/.@])")


def secret_in(text: str) -> str:
    """What kind of secret the text seems to hold, in words ("a password"), or "" when it holds none."""
    for kind, pattern in _PATTERNS:
        match = pattern.search(text)
        if match and (kind != "an account number" or _is_account(match[0])):
            return kind
    for match in _NAMED.finditer(text):
        if _could_be_secret(match["value"]):
            return "a password or key"
    if any(_is_card(match[0]) for match in _CARD.finditer(text)):
        return "a card number"
    if any(_is_random(match[0]) for match in _LONG_TOKEN.finditer(text)):
        return "an access key"
    return ""


def _could_be_secret(value: str) -> bool:
    return value.strip(".").casefold() not in _HARMLESS and not value.startswith("什么")


def _is_card(text: str) -> bool:
    """Luhn's check over 13 to 19 digits."""
    digits = [int(letter) for letter in text if letter.isdigit()]
    if not 13 <= len(digits) <= 19 or len(set(digits)) < 2:
        return False
    doubled = [
        2 * digit - 9 * (digit > 4) if place % 2 else digit for place, digit in enumerate(reversed(digits))
    ]
    return sum(doubled) % 10 == 0


def _is_account(text: str) -> bool:
    """The check of ISO 13616 over an international bank account number."""
    plain = text.replace(" ", "")
    moved = plain[4:] + plain[:4]
    return int("".join(str(int(letter, 36)) for letter in moved)) % 97 == 1


def _is_random(token: str) -> bool:
    """Letters of both cases and digits, spread as in a key rather than in a word."""
    kinds = sum(bool(re.search(form, token)) for form in ("[a-z]", "[A-Z]", r"\d"))
    counts = Counter(token)
    entropy = -sum(count / len(token) * math.log2(count / len(token)) for count in counts.values())
    return kinds == 3 and entropy > 4.0
