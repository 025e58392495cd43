"""What is set higher or lower than its line, as characters that stay so in plain text: 10⁻⁶, m², H₂O."""

_DIGITS = "0123456789+-−=()"
_RAISED = str.maketrans(_DIGITS + "n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿ")
_LOWERED = str.maketrans(_DIGITS, "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎")


def raised(text: str) -> str:
    """A power or the number of a note; "^(…)" where a sign has no raised form; words such as "th" stay as they are."""
    return _moved(text, _RAISED, "^")


def lowered(text: str) -> str:
    """An index; words stay as they are."""
    return _moved(text, _LOWERED, "_")


def _moved(text: str, table: dict[int, int], mark: str) -> str:
    inside = text.strip()
    if not inside or not any(character in _DIGITS or ord(character) in table for character in inside):
        return text
    if all(ord(character) in table for character in inside):
        return text.replace(inside, inside.translate(table))
    known = len(inside) < 20 and not any(character in "[]*†‡" or character.isspace() for character in inside)
    return text.replace(inside, f"{mark}({inside})") if known else text
