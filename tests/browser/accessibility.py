"""What axe-core finds on each page of a running app, light, dark, wide, narrow: accessibility.py URL AXE_FILE [PAGE…].

AXE_FILE is `axe.min.js` of the npm package axe-core (MPL-2.0), which is fetched and not part of this project. It prints
a line for each serious or critical finding, and ends with 1 where there is one.
"""

import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.screenshots import FLAGS, PAGES, SIZES, settle

SCHEMES = ("light", "dark")
SERIOUS = ("serious", "critical")
# Pages whose picture takes minutes to make say nothing more to axe than their quick siblings.
SLOW = ("compare", "visible_window", "visible_next", "visible_answer", "visible_inside")
RUN = """async () => (await axe.run(document, {resultTypes: ['violations']})).violations.map(
  found => ({id: found.id, impact: found.impact, nodes: found.nodes.map(node => node.html.slice(0, 160))}))"""
# Streamlit's own frame: what of it breaks a rule and cannot be changed from a page.
ALLOWED: dict[str, str] = {}


def findings(browser: Browser, url: str, axe: str, names: Sequence[str]) -> Iterator[str]:
    """A line for each finding."""
    for size, (width, height) in SIZES.items():
        for scheme in SCHEMES:
            context = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=scheme, bypass_csp=True
            )
            for visit in PAGES:
                if visit.__name__ in names or (not names and visit.__name__ not in SLOW):
                    page = context.new_page()
                    page.set_default_timeout(90_000)
                    visit(page, url)
                    settle(page)
                    for found in _serious(page, axe):
                        nodes = " ".join(found["nodes"][:2])
                        yield f"{visit.__name__} {size} {scheme}: {found['id']} × {len(found['nodes'])}: {nodes}"
                    page.close()
            context.close()


def _serious(page: Page, axe: str) -> list[dict[str, Any]]:
    page.add_script_tag(content=axe)
    found: list[dict[str, Any]] = page.evaluate(RUN)
    return [one for one in found if one["impact"] in SERIOUS and one["id"] not in ALLOWED]


def main(url: str, axe: Path, names: Sequence[str]) -> int:
    """Print the findings; how the program ends."""
    count = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for line in findings(browser, url.rstrip("/"), axe.read_text("utf-8"), names):
            print(line, flush=True)
            count += 1
        browser.close()
    print(f"{count} serious findings")
    return 1 if count else 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("Usage: python tests/browser/accessibility.py URL AXE_FILE [PAGE…]")
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:]))
