"""Which SMS gateways there are: ours, and those that installed packages offer under the entry point group named here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from connectors.sms.contract import SmsGateway

GROUP = "garment_wages.sms_gateways"

_BUILT_IN: Mapping[str, str] = {
    "console": "connectors.sms.console:build",
    "plasgate": "connectors.sms.plasgate.gateway:build",
}


class UnknownGatewayError(LookupError):
    """No gateway of this name; the message lists the names there are."""


class BrokenGatewayError(Exception):
    """An installed gateway that cannot be loaded or does not keep the contract; the message says whose it is."""


def available() -> tuple[str, ...]:
    """The names that `build` takes, in alphabetical order. Nothing is imported."""
    return tuple(sorted({*_BUILT_IN, *_offered()}))


def build(name: str, config: Mapping[str, object]) -> SmsGateway:
    """The gateway of this name with its own settings.

    Raises UnknownGatewayError, BrokenGatewayError, and whatever ValueError the gateway raises about its settings.
    """
    gateway = _builder(name)(config)
    if not isinstance(gateway, SmsGateway):
        raise BrokenGatewayError(f"SMS gateway {name!r} lacks a method of connectors.sms.contract.SmsGateway: tell those who wrote it")
    return gateway


def _builder(name: str) -> Callable[[Mapping[str, object]], object]:
    if name in _BUILT_IN:  # an installed package cannot take the place of ours
        module, _, function = _BUILT_IN[name].partition(":")
        built_in: Callable[[Mapping[str, object]], object] = getattr(import_module(module), function)
        return built_in
    offered = _offered().get(name)
    if offered is None:
        raise UnknownGatewayError(f"no SMS gateway is called {name!r}; there are: {', '.join(available())}")
    try:
        builder: Callable[[Mapping[str, object]], object] = offered.load()
    except (ImportError, AttributeError) as error:
        raise BrokenGatewayError(f"SMS gateway {name!r} ({offered.value}) cannot be loaded: {error}. Reinstall its package") from error
    return builder


def _offered() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}
