"""Which payout connectors there are, and one of them built from its configuration.

A third party declares its connector in its own package's metadata, under the entry point group `garment_wages.payout_connectors`,
as `name = "package.module:build"` where `build(config: Mapping[str, object]) -> Connector`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata

from pydantic import ValidationError

from connectors.payouts.contract import Connector
from connectors.payouts.observed import Observation, ObservedConnector

GROUP = "garment_wages.payout_connectors"

# What comes with the project, for a checkout whose metadata is not installed. These names cannot be taken over by another package.
BUILT_IN: Mapping[str, str] = {
    "aba_payway": "connectors.payouts.aba_payway.connector:build",
    "iso20022": "connectors.payouts.iso20022.connector:build",
    "gsma_mobile_money": "connectors.payouts.gsma_mobile_money.connector:build",
    "bakong": "connectors.payouts.bakong.connector:build",
    "bank_file": "connectors.payouts.bank_file.connector:build",
    "cash": "connectors.payouts.cash.connector:build",
}


class RegistryError(Exception):
    """A connector that cannot be had; the message says why and what to do."""


class UnknownConnectorError(RegistryError):
    """No installed package declares a connector of this name."""


class ConnectorConfigError(RegistryError):
    """The configuration does not fit the connector; the message names the fields, never their values."""


class BrokenConnectorError(RegistryError):
    """The connector is declared but cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a connector comes from."""

    name: str
    target: str  # module:function
    package: str  # the distribution that declares it


def available() -> Mapping[str, Source]:
    """The connectors by name. Raises BrokenConnectorError if two packages declare the same name."""
    found = {name: Source(name=name, target=target, package="garment-wages") for name, target in BUILT_IN.items()}
    for entry in metadata.entry_points(group=GROUP):
        source = Source(name=entry.name, target=entry.value, package=entry.dist.name if entry.dist else "unknown")
        known = found.setdefault(entry.name, source)
        if known.target != source.target:
            raise BrokenConnectorError(
                f"packages {known.package} and {source.package} both declare the payout connector {entry.name!r}; "
                f"uninstall one of them, or rename the entry point in {source.package}"
            )
    return found


def build(name: str, config: Mapping[str, object], *, observer: Callable[[Observation], None] | None = None) -> ObservedConnector:
    """The connector `name`, configured, behind ObservedConnector. Raises RegistryError with what to do."""
    sources = available()
    if name not in sources:
        raise UnknownConnectorError(
            f"there is no payout connector {name!r}; use one of {', '.join(sorted(sources))}, or install the package that declares it"
        )
    connector = _call(sources[name], config)
    if not isinstance(connector, Connector):
        raise BrokenConnectorError(
            f"payout connector {name!r}: {sources[name].target} does not return a Connector; see the connector guide"
        )
    if connector.profile.name != name:
        raise BrokenConnectorError(
            f"payout connector {name!r}: its profile is named {connector.profile.name!r}; "
            "give both the same name, under which payments are stored"
        )
    return ObservedConnector(connector, observer=observer)


def _call(source: Source, config: Mapping[str, object]) -> object:
    module, _, function = source.target.partition(":")
    try:
        builder = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise BrokenConnectorError(
            f"payout connector {source.name!r} cannot be loaded from {source.target} ({error}); reinstall the package {source.package}"
        ) from error
    try:
        made: object = builder(config)
    except ValidationError as error:
        faults = "; ".join(_fault(dict(fault)) for fault in error.errors(include_url=False, include_context=False, include_input=False))
        # Without a cause: pydantic's own text would show the values, and one of them may be a key.
        raise ConnectorConfigError(f"payout connector {source.name!r} is not configured rightly: {faults}") from None
    return made


def _fault(fault: Mapping[str, object]) -> str:
    """One sentence for one field."""
    where = fault["loc"]
    field = ".".join(str(part) for part in where) if isinstance(where, tuple) and where else "the configuration"
    if fault["type"] == "missing":
        return f"{field} is missing: add it"
    if fault["type"] == "extra_forbidden":
        return f"{field} is not a setting of this connector: remove it or correct its name"
    return f"{field}: {str(fault['msg']).removeprefix('Value error, ')}"
