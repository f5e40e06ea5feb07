"""The names of all jobs, in the order of a payday. `pipeline.py` says who does each."""

from __future__ import annotations

import enum


class Job(enum.StrEnum):
    """A piece of work that is done after the answer. The payload holds ids only."""

    READ_FILE = "read_file"
    RECONCILE_FILE = "reconcile_file"
    CHECK_DESTINATIONS = "check_destinations"
    SEND_NOTICES = "send_notices"
    PREPARE_RUN = "prepare_run"
    SUBMIT_CHUNK = "submit_chunk"
    LOOK_UP_DISPATCH = "look_up_dispatch"
    HANDLE_EVENTS = "handle_events"
    TAKE_NOTICE = "take_notice"
    MATCH_STATEMENT = "match_statement"
    COMPOSE_SLIPS = "compose_slips"
    SEND_SLIPS = "send_slips"


class Periodic(enum.StrEnum):
    """Work that is done again and again for every factory."""

    LOOK_UP_OPEN = "look_up_open"
    CHECK_INVARIANTS = "check_invariants"
    FETCH_STATEMENTS = "fetch_statements"
    WATCH_FOLDERS = "watch_folders"
    WATCH_BREAKS = "watch_breaks"
    SEAL_AUDIT = "seal_audit"
