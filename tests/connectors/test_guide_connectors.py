"""The guide to writing a connector knows every claim, every file and every option that there is."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from connectors.payouts.contract import Finality, Profile, RepeatBehaviour

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "guide-connectors.md").read_text("utf-8")
TEMPLATE = ROOT / "connectors" / "payouts" / "template"


def test_every_claim_of_a_profile_is_explained() -> None:
    told = {name for line in GUIDE.splitlines() if line.startswith("|") for name in re.findall(r"`([a-z_]+)`", line.split("|")[1])}
    assert {field.name for field in dataclasses.fields(Profile)} <= told
    assert all(value in GUIDE for value in (*Finality, *RepeatBehaviour))


def test_every_file_of_the_template_is_in_the_table_and_numbered_where_the_guide_says() -> None:
    files = {path.name for path in TEMPLATE.iterdir() if path.suffix in {".py", ".md"}} - {"__init__.py"}
    assert files == set(re.findall(r"^\| `([a-z_]+\.(?:py|md)|README\.md)` \|", GUIDE, re.MULTILINE))
    for name, told in re.findall(r"^\| `([a-z_]+\.py)` \| ([^|]+) \|", GUIDE, re.MULTILINE):
        text = (TEMPLATE / name).read_text("utf-8")
        for number in re.findall(r"(?<![0-9])([1-8]) ", told):
            assert f"{number}: " in text, (name, number)
