"""Looks at a workbook's bytes before any parser does, and refuses what no honest payroll contains.

The limits refuse; none of them cuts anything off. Sources: OWASP File Upload and ASVS 5.0 V5; CPython's zipfile does not
guard against bombs (CVE-2019-9674).
"""

from __future__ import annotations

import enum
import io
import re
import zipfile

LARGEST_FILE = 10 * 1024 * 1024
LARGEST_UNPACKED = 64 * 1024 * 1024
LARGEST_STYLES = 4 * 1024 * 1024
MOST_ENTRIES = 512
HIGHEST_RATIO = 150
RATIO_APPLIES_FROM = 1024 * 1024
CHUNK = 256 * 1024

ZIP_MAGIC = b"PK\x03\x04"
OPEN_DOCUMENT = b"application/vnd.oasis.opendocument.spreadsheet"
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
BARE_BIFF = (b"\x09\x08\x10\x00", b"\x09\x08\x08\x00", b"\x09\x04\x06\x00", b"\x09\x02\x06\x00", b"\x09\x00\x04\x00")  # Excel 2 to 5
_ENCRYPTED = 0x1
_SYMLINK = 0o120000
_KIND = 0o170000
_MARKUP = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_MARKUP_16 = re.compile(rb"<\x00!\x00(?:D|E)\x00|\x00<\x00!\x00(?:D|E)")
_REFUSED_PARTS = (
    ("vbaproject", "macros_refused"),
    ("macrosheets/", "macros_refused"),
    ("activex/", "active_content"),
    ("embeddings/", "active_content"),
    ("externallinks/", "external_links"),
)


class RefusedFileError(Exception):
    """A file that is not read at all. `code` is the stable problem code; nothing of the content is in the text."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def refuse_by_magic(data: bytes) -> None:
    """Refuse by size and first bytes alone. Raises RefusedFileError."""
    if not data.strip(b"\x00 \t\r\n"):
        raise RefusedFileError("file_empty")
    if len(data) > LARGEST_FILE:
        raise RefusedFileError("file_too_large")
    if data.startswith(OLE_MAGIC):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise RefusedFileError("encrypted")
        return
    if data.startswith(BARE_BIFF):
        raise RefusedFileError("old_excel")


class Kind(enum.Enum):
    """What a workbook is, by its content; its value are the endings that its name should have."""

    EXCEL = (".xlsx", ".xlsm")
    OPEN_DOCUMENT = (".ods",)
    OLD_EXCEL = (".xls",)


def kind_of(data: bytes) -> Kind | None:
    """The kind of workbook that the first bytes speak of; None for anything else. Nothing is unpacked."""
    if data.startswith(OLE_MAGIC):
        return Kind.OLD_EXCEL
    if not data.startswith(ZIP_MAGIC):
        return None
    return Kind.OPEN_DOCUMENT if data[30:100].startswith(b"mimetype" + OPEN_DOCUMENT) else Kind.EXCEL


def inspect(data: bytes) -> Kind:
    """Refuse a zip that is not a plain, honest xlsx or ods. Raises RefusedFileError; unpacks as a stream, never to disk."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            kind = _inspect_names(archive)
            _inspect_content(archive)
            if kind is Kind.OPEN_DOCUMENT:
                _inspect_open_document(archive)
            return kind
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, OSError, ValueError) as error:
        raise RefusedFileError("damaged_file") from error
    except Exception as error:
        if isinstance(error, RefusedFileError):
            raise
        raise RefusedFileError("damaged_file") from error  # zlib.error, struct.error and their kin


def _inspect_names(archive: zipfile.ZipFile) -> Kind:
    entries = archive.infolist()
    if len(entries) > MOST_ENTRIES:
        raise RefusedFileError("suspicious_archive")
    seen: set[str] = set()
    for entry in entries:
        name = entry.filename.replace("\\", "/").lower()
        is_link = (entry.external_attr >> 16) & _KIND == _SYMLINK
        if is_link or name in seen or name.startswith("/") or ":" in name or ".." in name.split("/"):
            raise RefusedFileError("suspicious_archive")
        seen.add(name)
        if entry.flag_bits & _ENCRYPTED:
            raise RefusedFileError("encrypted")
        for part, code in _REFUSED_PARTS:
            if part in name:
                raise RefusedFileError(code)
    return _inspect_kind(seen)


def _inspect_kind(names: set[str]) -> Kind:
    if "mimetype" in names and "content.xml" in names:
        return Kind.OPEN_DOCUMENT
    if "xl/workbook.bin" in names:
        raise RefusedFileError("binary_excel")
    if "xl/workbook.xml" not in names:
        raise RefusedFileError("not_a_workbook")
    return Kind.EXCEL


def _inspect_open_document(archive: zipfile.ZipFile) -> None:
    """Of the OpenDocument family only spreadsheets, without a password, without macros."""
    if archive.read("mimetype").strip() != OPEN_DOCUMENT:
        raise RefusedFileError("not_a_workbook")
    names = archive.namelist()
    if "META-INF/manifest.xml" in names and b"encryption-data" in archive.read("META-INF/manifest.xml"):
        raise RefusedFileError("encrypted")
    if any(name.lower().startswith(("basic/", "scripts/")) and not name.endswith("/") for name in names):
        raise RefusedFileError("macros_refused")


def _inspect_content(archive: zipfile.ZipFile) -> None:
    unpacked = 0
    for entry in archive.infolist():
        name = entry.filename.lower()
        size = 0
        tail = b""
        is_markup = name.endswith((".xml", ".rels", ".vml"))
        with archive.open(entry) as stream:
            while block := stream.read(CHUNK):
                size += len(block)
                unpacked += len(block)
                if unpacked > LARGEST_UNPACKED:
                    raise RefusedFileError("unpacks_too_large")
                if is_markup:
                    window = tail + block
                    if (b"<!" in window or b"<\x00" in window or b"\x00<" in window) and (
                        _MARKUP.search(window) or _MARKUP_16.search(window)
                    ):
                        raise RefusedFileError("suspicious_archive")
                    tail = block[-16:]
        if size > RATIO_APPLIES_FROM and size > HIGHEST_RATIO * max(entry.compress_size, 1):
            raise RefusedFileError("unpacks_too_large")
        if name.endswith("styles.xml") and size > LARGEST_STYLES:
            raise RefusedFileError("unpacks_too_large")
