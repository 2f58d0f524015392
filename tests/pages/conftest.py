from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, which .ci/run installs."""
    chromium = shutil.which("chromium")
    if not chromium:
        if os.environ.get("PCI_LOG_REVIEW_RUN_EVERY_TEST") == "1":
            pytest.fail("chromium is required here (PCI_LOG_REVIEW_RUN_EVERY_TEST=1)", pytrace=False)
        pytest.skip("no chromium: apt-get install chromium, to try the pages in a browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()
