"""HR's pages, rendered on the server in Khmer and English. No rule inside: every decision is a step's."""

from __future__ import annotations

from payroll_api.web.mounting import mount

__all__ = ["mount"]
