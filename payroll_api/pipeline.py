"""The way of a payday, step by step: the table of contents of the system.

    upload -> READ_FILE -> (a person confirms the columns, the first time) -> RECONCILE_FILE -> CHECK_DESTINATIONS
      -> (a changed account or phone: SEND_NOTICES tells the worker; another person confirms; adopted after a while)
      -> (people decide about differences; one submits, another approves and releases) -> PREPARE_RUN -> SUBMIT_CHUNK
      -> webhook -> HANDLE_EVENTS, or LOOK_UP_DISPATCH when none comes -> COMPOSE_SLIPS -> SEND_SLIPS -> receipts
    a webhook that is itself a statement -> HANDLE_EVENTS -> TAKE_NOTICE -> MATCH_STATEMENT
    statement -> MATCH_STATEMENT -> settled, or a break that a person closes

A step moves on by enqueuing the next one's job in its own transaction. Every arrow leaves an audit event.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

from payroll_api.intake.read_file import read_file
from payroll_api.jobs.names import Job
from payroll_api.payments.events import handle_events
from payroll_api.payments.look_up import look_up_dispatch
from payroll_api.payments.prepare import prepare_run
from payroll_api.payments.submit import submit_chunk
from payroll_api.payslips.compose import compose_slips
from payroll_api.payslips.send import send_slips
from payroll_api.people.destinations import check_destinations
from payroll_api.people.notices import send_notices
from payroll_api.review.reconcile import reconcile_file
from payroll_api.services import Services
from payroll_api.settlement.match import match_statement
from payroll_api.settlement.notice import take_notice

Step = Callable[[Services, UUID, Mapping[str, str]], Awaitable[None]]

STEPS: Mapping[Job, Step] = {
    Job.READ_FILE: read_file,
    Job.RECONCILE_FILE: reconcile_file,
    Job.CHECK_DESTINATIONS: check_destinations,
    Job.SEND_NOTICES: send_notices,
    Job.PREPARE_RUN: prepare_run,
    Job.SUBMIT_CHUNK: submit_chunk,
    Job.LOOK_UP_DISPATCH: look_up_dispatch,
    Job.HANDLE_EVENTS: handle_events,
    Job.TAKE_NOTICE: take_notice,
    Job.MATCH_STATEMENT: match_statement,
    Job.COMPOSE_SLIPS: compose_slips,
    Job.SEND_SLIPS: send_slips,
}
