"""Awkward payroll workbooks, built by code and synthetic: each with the rows and the problems it must end in.

They are modelled on what published payroll, attendance and bank sheets from Cambodia, Vietnam, Bangladesh, India and China do.
"""

from __future__ import annotations

from tests.sheets import awkward_amounts, awkward_files, awkward_meanings, awkward_people, awkward_tables
from tests.sheets.awkward_case import Case


def cases() -> list[Case]:
    """The whole library."""
    parts = (awkward_tables, awkward_meanings, awkward_amounts, awkward_people, awkward_files)
    return [case for part in parts for case in part.cases()]
