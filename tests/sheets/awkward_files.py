"""Awkward files: what kind of file it is."""

from __future__ import annotations

from tests.sheets.awkward_case import HEAD, ROWS, Case, sheet_of
from tests.sheets.old_formats import ods, xls

_LINES = [",".join(map(str, row)) for row in (HEAD, *ROWS)]

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
_PAGE = "<html><head><title>Payroll</title></head><table><tr><td>W001</td><td>240</td></tr></table></html>"
_XML_2003 = '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>'


def _csv(text: str, encoding: str = "utf-8") -> bytes:
    return text.encode(encoding)


def cases() -> list[Case]:
    """What kind of file it is."""
    text = "\n".join(_LINES) + "\n"
    return [
        Case(name="csv", data=_csv(text), file_name="p.csv"),
        Case(name="csv with a byte order mark", data=_csv(text, "utf-8-sig"), file_name="p.csv"),
        Case(name="csv in utf-16", data=_csv(text, "utf-16"), file_name="p.csv"),
        Case(name="csv in windows-1252", data=_csv(text.replace("ស្រី មុំ", "José Núñez"), "cp1252"), file_name="p.csv"),
        Case(
            name="csv with semicolons and decimal commas",
            data=_csv(text.replace(",", ";").replace(".5", ",5").replace(".25", ",25")),
            file_name="p.csv",
        ),
        Case(name="tab-separated with a csv name", data=_csv(text.replace(",", "\t")), file_name="p.csv"),
        Case(name="csv with titles and group captions", data=_csv("Example Garment\n,,,Pay,,\n" + text), file_name="p.csv"),
        Case(name="xlsx with a csv name", data=sheet_of(HEAD, *ROWS), file_name="p.csv", problems=(("extension_differs", ""),)),
        Case(name="empty file", data=b"", paid=(), refused="file_empty"),
        Case(name="blank file", data=b" \r\n", file_name="p.csv", paid=(), refused="file_empty"),
        Case(name="csv with an xlsx name", data=_csv(text), problems=(("extension_differs", ""),)),
        Case(
            name="tab-separated with an xls name",
            data=_csv(text.replace(",", "\t")),
            file_name="p.xls",
            problems=(("extension_differs", ""),),
        ),
        Case(name="xlsx with an xls name", data=sheet_of(HEAD, *ROWS), file_name="p.xls", problems=(("extension_differs", ""),)),
        Case(name="a letter with an xlsx name", data=_csv("Dear Sir,\nplease pay all of them.\n"), paid=(), refused="not_a_workbook"),
        Case(name="old excel", data=xls((HEAD, *ROWS)), file_name="p.xls"),
        Case(name="old excel with an xlsx name", data=xls((HEAD, *ROWS)), problems=(("extension_differs", ""),)),
        Case(name="open document", data=ods((HEAD, *ROWS)), file_name="p.ods"),
        Case(name="open document with an xlsx name", data=ods((HEAD, *ROWS)), problems=(("extension_differs", ""),)),
        Case(
            name="older excel, no container", data=b"\x09\x08\x10\x00\x00\x05" + bytes(99), file_name="p.xls", paid=(), refused="old_excel"
        ),
        Case(name="web page in utf-16 with an xls name", data=_PAGE.encode("utf-16"), file_name="p.xls", paid=(), refused="web_page"),
        Case(name="web page with a csv name", data=_csv(_PAGE), file_name="p.csv", paid=(), refused="web_page"),
        Case(name="web archive", data=_csv("MIME-Version: 1.0\n" + _PAGE), file_name="p.xls", paid=(), refused="web_page"),
        Case(name="xml of 2003", data=_csv(_XML_2003), file_name="p.xls", paid=(), refused="xml_spreadsheet"),
        Case(name="pdf with an xlsx name", data=b"%PDF-1.7\n1 0 obj\n", paid=(), refused="not_a_workbook"),
        Case(
            name="a printed report on one line",
            data=_csv(" ".join(map(str, ROWS[0])) * 30),
            file_name="p.csv",
            paid=(),
            refused="no_table_found",
        ),
        Case(name="web page with an xlsx name", data=b"<html><table><tr><td>1</td></tr></table></html>", paid=(), refused="web_page"),
        Case(name="a container without a workbook", data=_OLE, file_name="p.xls", paid=(), refused="damaged_file"),
        Case(name="cut in half", data=sheet_of(HEAD, *ROWS)[:2000], paid=(), refused="damaged_file"),
        Case(name="sixty megabytes", data=b"PK\x03\x04" + bytes(60 * 1024 * 1024), paid=(), refused="file_too_large"),
        Case(name="empty sheet", data=sheet_of(), paid=(), refused="no_table_found"),
        Case(name="headers only", data=sheet_of(HEAD), paid=(), refused="no_rows_found"),
        Case(name="a letter, no table", data=sheet_of(("Dear Sir,",), ("please pay",)), paid=(), refused="no_table_found"),
    ]
