"""XML that others wrote cannot make us read a file, grow without end, or wait."""

from __future__ import annotations

import time

import pytest

from importers.statements.outside_xml import OutsideXmlError, growing_tree, local, read_tree

LAUGHS = b"<!DOCTYPE a [" + b"".join(b'<!ENTITY l%d "%s">' % (step + 1, b"&l%d;" % step * 10) for step in range(9)) + b"]><a>&l9;</a>"


@pytest.mark.parametrize(
    "data",
    [
        LAUGHS,
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>',
        b'<?xml version="1.0"?><!-- a long comment '
        + b"x" * 9000
        + b' --><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
        '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode("utf-16"),
    ],
    ids=["laughs", "outside", "late", "utf-16"],
)
def test_a_document_type_definition_is_refused_before_anything_is_read(data: bytes) -> None:
    with pytest.raises(OutsideXmlError, match="document type definition"):
        read_tree(data)


@pytest.mark.parametrize(
    "data", [b"", b"   ", b"<!-- nothing -->", b"<a>&b;</a>", b"<a>", b"<a></b>", b"<a/><!DOCTYPE a>", b"\x00\x01", b"<a>\xff</a>"]
)
def test_what_is_not_well_formed_is_refused(data: bytes) -> None:
    with pytest.raises(OutsideXmlError):
        read_tree(data)


def test_a_million_elements_in_each_other_are_refused_at_once() -> None:
    began = time.monotonic()
    with pytest.raises(OutsideXmlError, match="deeper"):
        read_tree(b"<a>" * 1_000_000 + b"</a>" * 1_000_000)
    assert time.monotonic() - began < 2


def test_a_tree_can_be_cut_while_it_grows() -> None:
    taken, sizes = [], []
    for root in growing_tree(b"<a>" + b"".join(b"<b>%d</b>" % number for number in range(50_000)) + b"</a>"):
        sizes.append(len(root))
        taken += [child.text for child in root[:-1]]
        root[:-1] = []
    taken.append(root[-1].text)
    assert taken == [str(number) for number in range(50_000)]
    assert max(sizes) < 10_000


def test_names_are_cut_of_any_namespace() -> None:
    assert [local(tag) for tag in ("{urn:x}Ntry", "Ntry", "{}Ntry")] == ["Ntry"] * 3
