"""XML that others wrote, opened safely: no DTD, so no entities, no expansion and no outside files.

A DTD can only stand before the first element, so expat reads that far and refuses one; the rest is read by the standard library's C
parser. defusedxml refuses the same things through Python's own parser, measured at a third of the speed.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import deque
from collections.abc import Iterator
from xml.parsers import expat

LARGEST = 256 * 1024 * 1024
_STEP = 4096
_PIECE = 64 * 1024
_DEEPEST = 64  # the deepest schema in use has about twenty


class OutsideXmlError(ValueError):
    """XML that is not opened; the message says why, without any of its content."""


class _FirstElement(Exception):  # noqa: N818 a signal, not an error
    pass


def refuse_dtd(data: bytes) -> None:
    """Raise OutsideXmlError if `data` is too large, begins with no element, or brings a DTD."""
    if len(data) > LARGEST:
        raise OutsideXmlError(f"the file is larger than {LARGEST // 1024 // 1024} MiB")
    parser = expat.ParserCreate()

    def doctype(*_: object) -> None:
        raise OutsideXmlError("the file brings a document type definition, which no bank message needs")

    def element(*_: object) -> None:
        raise _FirstElement

    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = element
    try:
        for start in range(0, len(data), _STEP):
            parser.Parse(data[start : start + _STEP], False)  # noqa: FBT003 expat knows it by position only
        parser.Parse(b"", True)  # noqa: FBT003 the same
    except _FirstElement:
        return
    except (expat.ExpatError, LookupError, ValueError) as error:
        if isinstance(error, OutsideXmlError):
            raise
        raise OutsideXmlError("the file is not well-formed XML at its beginning") from None
    raise OutsideXmlError("the file holds no element")


def read_tree(data: bytes) -> ET.Element:
    """The root element of a message that fits into memory as a tree. Raises OutsideXmlError."""
    last = deque(growing_tree(data), maxlen=1)
    if not last:
        raise OutsideXmlError("the file holds no element")
    return last[0]


def growing_tree(data: bytes) -> Iterator[ET.Element]:
    """The root again and again while its tree grows, so that a reader of a long message takes what is finished and removes it.

    Only the last child of an element can still be growing. Raises OutsideXmlError.
    """
    refuse_dtd(data)
    builder = ET.TreeBuilder()
    parser = ET.XMLParser(target=builder)  # noqa: S314 the same
    try:
        for start in range(0, len(data), _PIECE):
            parser.feed(data[start : start + _PIECE])
            # CPython's builder answers `close` with the root at any time; an element factory that kept it costs half of the speed.
            root = builder.close()
            if root is not None:
                _refuse_depth(root)
                yield root
        parser.close()
    except OutsideXmlError:
        raise
    except (ET.ParseError, LookupError, ValueError) as error:
        raise OutsideXmlError(_place(error)) from None


def _refuse_depth(root: ET.Element) -> None:
    """Raise OutsideXmlError where elements that are still open stand deeper in each other than any message has them."""
    element, depth = root, 0
    while len(element):
        element, depth = element[-1], depth + 1
        if depth > _DEEPEST:
            raise OutsideXmlError("its elements stand deeper in each other than any bank message has them")


def local(tag: str) -> str:
    """An element's name without its namespace: banks use ISO's of any version and national ones of their own."""
    return tag.rpartition("}")[2]


def _place(error: Exception) -> str:
    line, column = getattr(error, "position", (0, 0))
    return f"the file is not well-formed XML (line {line}, column {column}); it may have been cut off: fetch it again"
