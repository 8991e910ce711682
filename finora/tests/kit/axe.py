"""axe-core, as Deque publishes it on npm."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

axe = Axe()
# Without reading the style sheets by itself: it takes their `@import`s for the page's own.
OPTIONS = {"resultTypes": ["violations"], "preload": False}


def findings(page: Page) -> list[str]:
    """What axe finds of more weight than `minor`, with where it is."""
    page.wait_for_load_state()
    # A colour on its way to another one is nobody's to read.
    page.evaluate("document.getAnimations().forEach(each => each.finish())")
    response: dict[str, Any] = axe.run(page, options=OPTIONS).response
    assert response["passes"], "axe looked at nothing"
    return [
        f"{found['impact']}: {found['help']}: {node['html'][:200]}"
        for found in response["violations"]
        if found["impact"] != "minor"
        for node in found["nodes"]
    ]
