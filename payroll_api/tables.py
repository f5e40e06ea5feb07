"""All tables of the service in one place, for migrations and for checks of the catalogue."""

from __future__ import annotations

from payroll_api.access import models as access
from payroll_api.alarms import models as alarms
from payroll_api.api import models as api
from payroll_api.audit import models as audit
from payroll_api.db.base import Base
from payroll_api.encryption import models as encryption
from payroll_api.factories import models as factories
from payroll_api.intake import models as intake
from payroll_api.ledger import models as ledger
from payroll_api.outside import models as outside
from payroll_api.payments import models as payments
from payroll_api.payslips import models as payslips
from payroll_api.people import models as people
from payroll_api.review import models as review
from payroll_api.runs import models as runs
from payroll_api.settlement import models as settlement

MODULES = (access, alarms, api, audit, encryption, factories, intake, ledger, outside, payments, payslips, people, review, runs, settlement)
METADATA = Base.metadata
