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
from tests.browser.checks import CONTRAST, WIDE, sign_in
from tests.browser.chromium import installed, tab
from tests.conftest import SampleFactory, SettableClock
from tests.payroll_api.payday_story import story
from tests.sheets.build_payroll import accounts_of, build_payroll

# The build installs Chromium and says CI: there these tests must run. On a machine without a browser they have nothing to press.
pytestmark = pytest.mark.skipif(installed() is None and "CI" not in os.environ, reason="install chromium to run it")


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
        await sign_in(page, base, factory.logins[Role.PREPARER])
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
