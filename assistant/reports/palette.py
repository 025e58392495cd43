"""The colours of the kinds of variants, the same in reports and on pages.

What a prompt holds can be erased: teal, as a pencil's. What weights hold stays: indigo, as ink. `components/style.css`
has the same.
"""

GRAY, TEAL, INDIGO = "#75787f", "#14776f", "#333f8f"
# kind of a variant -> its colour
KIND_COLOURS = {
    "base": GRAY,
    "documents": TEAL,
    "given": "#7fb3a5",
    "checkpoint": INDIGO,
    "both": "#8d5a97",
}
