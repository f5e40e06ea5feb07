"""The pages in a real browser: by keyboard, on a phone, and with the few lines of our own JavaScript."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.faulty_server import serving
from payroll_api.access.actor import Role
from payroll_api.app import create_app
from payroll_api.services import Services
from tests.browser.chromium import Tab, installed, tab
from tests.conftest import PASSWORD, SampleFactory, SettableClock
from tests.payroll_api.payday_story import story
from tests.sheets.build_payroll import accounts_of, build_payroll

# The build installs Chromium and says CI: there these tests must run. On a machine without a browser they have nothing to press.
pytestmark = pytest.mark.skipif(installed() is None and "CI" not in os.environ, reason="install chromium to run it")

WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
# Contrast of text against what lies behind it, by WCAG 2.2: the darkest offence, as "ratio text".
CONTRAST = """(() => {
  const channels = (text) => (text.match(/[0-9.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const found = channels(getComputedStyle(node).backgroundColor);
      if (found.length === 3 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  const offences = [];
  for (const node of document.querySelectorAll("body *")) {
    const words = Array.from(node.childNodes).filter((child) => child.nodeType === 3).map((child) => child.data.trim()).join("");
    if (!words || !node.checkVisibility() || node.closest(".unseen, .skip, noscript")) continue;
    const [a, b] = [light(channels(getComputedStyle(node).color)), light(behind(node))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) offences.push(ratio.toFixed(2) + " " + words.slice(0, 40));
  }
  return offences;
})()"""


async def _sign_in(page: Tab, base: str, login: str) -> None:
    await page.open(f"{base}/sign-in")
    values = json.dumps({"login": login, "password": PASSWORD})
    await page.run(f"Object.entries({values}).forEach(([name, value]) => document.getElementById(name).value = value)")
    await page.run("document.querySelector('main form button').click()")
    await page.until("location.pathname === '/' && document.readyState === 'complete'")


async def test_pages_fit_a_phone_and_a_desk_in_both_languages_and_are_used_by_keyboard(
    services: Services, factory: SampleFactory, tmp_path: Path
) -> None:
    async with serving(create_app(services)) as base, tab(tmp_path) as page:
        await _sign_in(page, base, factory.logins[Role.PREPARER])
        for width in (360, 1440):
            await page.width(width)
            for path in ("/", "/workers", "/statements", "/factory", "/factory/law", "/factory/policies", "/factory/what-if"):
                for language in ("km", "en"):
                    await page.open(f"{base}{path}?lang={language}")
                    assert not await page.run(WIDE), (path, language, width)
                    assert await page.run(CONTRAST) == [], (path, language)
        await page.key("Tab")
        assert await page.run("document.activeElement.className") == "skip"
        await page.key("Enter")
        assert await page.run("location.hash") == "#main"
        assert page.complaints == []


async def test_an_upload_shows_itself_and_the_page_goes_on_by_itself(
    services: Services, factory: SampleFactory, clock: SettableClock, tmp_path: Path
) -> None:
    clock.now = datetime.now(UTC)
    sheet = tmp_path / "november.xlsx"
    built = build_payroll(24, 7, sheet, faults=True)
    known = tmp_path / "accounts.json"
    known.write_text(json.dumps(accounts_of(built["workers"])), encoding="utf-8")
    async with (
        story(services, factory, tmp_path, accounts=known) as told,
        serving(create_app(told.services)) as base,
        tab(tmp_path) as page,
    ):
        await page.width(360)
        await _sign_in(page, base, factory.logins[Role.PREPARER])
        await page.choose("#file", sheet)
        await page.run("document.getElementById('period').value = '2026-11'; document.querySelector('form[data-upload] button').click()")
        await page.until("location.pathname.startsWith('/files/') && document.readyState === 'complete'")
        await told.work()
        await page.until("[...document.querySelectorAll('button')].some((button) => button.textContent === 'Confirm the columns')")
        await page.run("[...document.querySelectorAll('button')].find((button) => button.textContent === 'Confirm the columns').click()")
        await page.until("location.search === '?done=columns' && document.readyState === 'complete'")
        await told.work()
        await page.until("document.body.innerText.includes('Decide first what blocks')")
        assert not await page.run(WIDE)
        assert await page.run(CONTRAST) == []
        # The same file again: refused without leaving the page, the chosen file still chosen.
        await page.open(f"{base}/")
        await page.choose("#file", sheet)
        await page.run("document.getElementById('period').value = '2026-11'; document.querySelector('form[data-upload] button').click()")
        await page.until("document.activeElement.matches('[data-problem]')")
        assert "uploaded before" in await page.run("document.activeElement.innerText")
        assert await page.run("document.getElementById('file').files.length") == 1
        assert [text for text in page.complaints if "409" not in text] == []
