"""What may leave: the request bodies of the published OpenAPI 1.1.2, as strict as it writes them.

Repaired where it cannot be satisfied: `POST /transactions/type/{type}` asks for a body that is an array of parties and an object at
once; here it asks for the object with both parties. `type` may stand in it, as the published compliance cases want.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from importers.money import CURRENCIES

LONGEST_TEXT, LONGEST_DESCRIPTION = 256, 160
_AMOUNT = r"^([0]|([1-9][0-9]{0,17}))([.][0-9]{0,3}[1-9])?$"
_MSISDN = r"^[+]?[0-9]{6,15}$"

Text = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Party(_Strict):
    """An account by one of its identifiers."""

    key: Text
    value: Text


class PhoneParty(_Strict):
    """A wallet by its phone number."""

    key: Literal["msisdn"]
    value: Annotated[str, Field(pattern=_MSISDN)]


class Disbursement(_Strict):
    """One transaction, alone or in a batch."""

    amount: Annotated[str, Field(min_length=1, max_length=23, pattern=_AMOUNT)]
    currency: Literal[tuple(CURRENCIES)]  # type: ignore[valid-type]  # the currencies we pay in, all of them in the API's list
    type: Literal["disbursement"]
    debitParty: Annotated[list[Party], Field(min_length=1, max_length=10)]  # noqa: N815 the API's names
    creditParty: Annotated[list[PhoneParty], Field(min_length=1, max_length=10)]  # noqa: N815 the API's names
    descriptionText: Annotated[str, Field(max_length=LONGEST_DESCRIPTION)]  # noqa: N815 the API's names
    requestingOrganisationTransactionReference: Text  # noqa: N815 the API's names


def fault_of(transaction: dict[str, object]) -> str | None:
    """The name of the first field that the API would not take, or None. Never a value: one of them is a phone number."""
    try:
        Disbursement.model_validate(transaction)
    except ValidationError as error:
        return str(error.errors(include_input=False, include_url=False)[0]["loc"][0])
    return None
