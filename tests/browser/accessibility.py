"""What axe-core finds on each page of a running app, light, dark, wide, narrow: accessibility.py URL [VIEW…] [PAGE…].

A view is one of wide-light, wide-dark, narrow-light, narrow-dark; without one all four are looked at.

It prints a line for each serious or critical finding, and ends with 1 where there is one. The script of axe-core
(MPL-2.0) comes out of the package axe-playwright-python, whose own code is not used.
"""

import shutil
import sys
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.screenshots import FLAGS, PAGES, SIZES, settle

SCHEMES = ("light", "dark")
VIEWS = tuple(f"{size}-{scheme}" for size in SIZES for scheme in SCHEMES)
SERIOUS = ("serious", "critical")
# Pages whose picture takes minutes to make say nothing more to axe than their quick siblings.
SLOW = ("compare", "visible_window", "visible_next", "visible_answer", "visible_inside")
RUN = """async () => (await axe.run(document, {resultTypes: ['violations']})).violations.map(
  found => ({id: found.id, impact: found.impact, nodes: found.nodes.map(node => node.html.slice(0, 160))}))"""
# Streamlit's own frame: what of it breaks a rule and cannot be changed from a page.
ALLOWED: dict[str, str] = {}


def findings(browser: Browser, url: str, views: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    """A line for each finding."""
    for size, (width, height) in SIZES.items():
        for scheme in SCHEMES:
            if f"{size}-{scheme}" not in views:
                continue
            context = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=scheme, bypass_csp=True
            )
            for visit in PAGES:
                if visit.__name__ in names or (not names and visit.__name__ not in SLOW):
                    page = context.new_page()
                    page.set_default_timeout(90_000)
                    visit(page, url)
                    settle(page)
                    print(f"{visit.__name__} {size} {scheme}", file=sys.stderr, flush=True)
                    for found in serious(page):
                        yield f"{visit.__name__} {size} {scheme}: {found}"
                    page.close()
            context.close()


def serious(page: Page) -> list[str]:
    """The serious findings on what a page shows now; its context has to be one that bypasses the CSP."""
    page.add_script_tag(content=(files("axe_playwright_python") / "axe.min.js").read_text("utf-8"))
    found: list[dict[str, Any]] = page.evaluate(RUN)
    return [
        f"{one['id']} × {len(one['nodes'])}: {' '.join(one['nodes'][:2])}"
        for one in found
        if one["impact"] in SERIOUS and one["id"] not in ALLOWED
    ]


def main(url: str, given: Sequence[str]) -> int:
    """Print the findings; how the program ends."""
    views = [name for name in given if name in VIEWS] or VIEWS
    names = [name for name in given if name not in VIEWS]
    count = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for line in findings(browser, url.rstrip("/"), views, names):
            print(line, flush=True)
            count += 1
        browser.close()
    print(f"{count} serious findings")
    return 1 if count else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("Usage: python -m tests.browser.accessibility URL [VIEW…] [PAGE…]")
    sys.exit(main(sys.argv[1], sys.argv[2:]))
