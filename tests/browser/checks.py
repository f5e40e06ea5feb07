"""What is asked of a page in the browser, as scripts: does it fit, can it be read, can it be used without a mouse, what does axe say."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

from tests.browser.chromium import Tab
from tests.conftest import PASSWORD

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
# What a keyboard reaches must show that it is there, and nothing may jump the queue.
KEYBOARD = """(() => {
  const offences = [];
  for (const node of document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]")) {
    if (!node.checkVisibility() || node.disabled || node.tabIndex < 0) continue;
    const name = node.tagName + " " + (node.id || node.innerText || node.name || "").slice(0, 40);
    if (node.tabIndex > 0) offences.push("jumps the queue: " + name);
    node.focus({focusVisible: true, preventScroll: true});
    const style = getComputedStyle(node);
    if (document.activeElement !== node) offences.push("takes no focus: " + name);
    else if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) offences.push("does not show its focus: " + name);
  }
  document.activeElement.blur();
  return offences;
})()"""
# Its rule of contrast is left out: CONTRAST measures every text of the page, also in both languages.
_AXE = """axe.run(document, {
  runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"], rules: {"color-contrast": {enabled: false}},
  resultTypes: ["violations"],
}).then((told) => told.violations.map((one) => one.id + ": " + one.nodes.slice(0, 3).map((node) => node.html.slice(0, 120)).join(" | ")))"""


def axe() -> str | None:
    """axe-core's own script, as its package brings it, or None where that is not installed."""
    found = importlib.util.find_spec("axe_core_python")
    if found is None or found.origin is None:
        return None
    return (Path(found.origin).parent / "axe.min.js").read_text(encoding="utf-8")


async def complaints_of_axe(page: Tab, script: str) -> list[str]:
    """What axe finds on the page that is open: its rule, and where."""
    await page.run(f"{script};0")
    found: list[str] = await page.run(_AXE)
    return found


async def sign_in(page: Tab, base: str, login: str) -> None:
    """Sign in through the page."""
    await page.open(f"{base}/sign-in")
    values = json.dumps({"login": login, "password": PASSWORD})
    await page.run(f"Object.entries({values}).forEach(([name, value]) => document.getElementById(name).value = value)")
    await page.run("document.querySelector('main form button').click()")
    await page.until("location.pathname === '/' && document.readyState === 'complete'")
