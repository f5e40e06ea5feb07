"""Debian's Chromium over its debugging protocol: enough to press keys, fill forms and measure a page."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import shutil
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
)
_SLOW = 30.0


def installed() -> str | None:
    """Where Chromium is, or None."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


class Tab:
    """One tab. `complaints` are what the browser wrote to its console: script errors and breaches of the content security policy."""

    def __init__(self, wire: ClientConnection) -> None:
        self._wire = wire
        self._number = 0
        self.complaints: list[str] = []

    async def send(self, method: str, **params: object) -> Any:
        """Ask the browser for something and wait for its answer."""
        self._number += 1
        await self._wire.send(json.dumps({"id": self._number, "method": method, "params": params}))
        while True:
            message = json.loads(await asyncio.wait_for(self._wire.recv(), _SLOW))
            if message.get("id") == self._number:
                assert "error" not in message, message
                return message["result"]
            self._note(message)

    def _note(self, message: Any) -> None:
        if message["method"] == "Runtime.exceptionThrown":
            self.complaints.append(message["params"]["exceptionDetails"]["text"])
        elif message["method"] == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
            self.complaints.append(message["params"]["entry"]["text"])

    async def run(self, script: str) -> Any:
        """The value of a script in the page."""
        answer = await self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def until(self, script: str) -> None:
        """Wait until a script says yes."""
        for _ in range(150):
            # While a page is being replaced there is nothing to ask.
            with contextlib.suppress(AssertionError):
                if await self.run(script):
                    return
            await asyncio.sleep(0.1)
        raise AssertionError(f"never became true: {script}; the page says: {await self.run('document.body.innerText')}")

    async def open(self, address: str) -> None:
        """Go to an address and wait for the page."""
        await self.send("Page.navigate", url=address)
        await self.until(f"location.href.startsWith({json.dumps(address)}) && document.readyState === 'complete'")

    async def width(self, pixels: int) -> None:
        """Make the window this wide."""
        await self.send("Emulation.setDeviceMetricsOverride", width=pixels, height=800, deviceScaleFactor=1, mobile=False)

    async def key(self, name: str) -> None:
        """Press a key."""
        for kind in ("keyDown", "keyUp"):
            code = {"Tab": 9, "Enter": 13}[name]
            text = {"text": "\r"} if name == "Enter" and kind == "keyDown" else {}
            await self.send("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=code, **text)

    async def choose(self, field: str, file: Path) -> None:
        """Choose a file in a field, found by its CSS selector."""
        root = (await self.send("DOM.getDocument"))["root"]["nodeId"]
        node = (await self.send("DOM.querySelector", nodeId=root, selector=field))["nodeId"]
        await self.send("DOM.setFileInputFiles", nodeId=node, files=[str(file)])


@contextlib.asynccontextmanager
async def tab(folder: Path) -> AsyncIterator[Tab]:
    """A new browser with one tab, gone afterwards."""
    program = installed()
    assert program is not None
    process = await asyncio.create_subprocess_exec(
        program, *FLAGS, f"--user-data-dir={folder / 'profile'}", "about:blank", stderr=asyncio.subprocess.PIPE
    )
    try:
        assert process.stderr is not None
        address = ""
        while not address:
            line = (await asyncio.wait_for(process.stderr.readline(), _SLOW)).decode()
            address = found[1] if (found := re.search(r"ws://(\S+)", line)) else ""
        async with connect(f"ws://{address}", max_size=None) as browser:
            control = Tab(browser)
            target = (await control.send("Target.createTarget", url="about:blank"))["targetId"]
            host = address.partition("/")[0]
            async with connect(f"ws://{host}/devtools/page/{target}", max_size=None) as wire:
                page = Tab(wire)
                for domain in ("Page", "Runtime", "Log", "DOM"):
                    await page.send(f"{domain}.enable")
                yield page
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        await process.communicate()
