"""Colours that no style sheet reaches are seen on light and on dark pages."""

import pytest

from assistant.components import passage_map, preference_curves, theme
from assistant.reports.palette import KIND_COLOURS

SEEN = 3.0  # the contrast that WCAG asks of what is no text
COLOURS = {
    *theme.SERIES,
    *passage_map.COLOURS,
    *(colour for colour, _, _ in preference_curves.MEASURES.values()),
    *KIND_COLOURS.values(),
}
PALE = {"#7fb3a5", "#d08fae"}  # on light pages; a shape or a name stands beside them


def luminance(colour: str) -> float:
    """Of #rrggbb, as WCAG 2.2 defines relative luminance."""
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("dark", [False, True])
def test_lines_and_points_stand_out_from_the_ground(monkeypatch: pytest.MonkeyPatch, dark: bool) -> None:
    monkeypatch.setattr(theme, "is_dark", lambda: dark)
    lost = {}
    for colour in COLOURS - (set() if dark else PALE):
        low, high = sorted((luminance(theme.shown(colour)), luminance(theme.paper())))
        contrast = (high + 0.05) / (low + 0.05)
        if contrast < SEEN:
            lost[colour] = round(contrast, 2)
    assert lost == {}
