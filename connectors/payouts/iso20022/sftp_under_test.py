"""The bank connector over SFTP with its simulated bank, as the conformance suite takes them."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import asyncssh

from connectors.payouts.contract import Connector
from connectors.payouts.iso20022.connector import build
from connectors.payouts.iso20022.simulated_bank import Account, Books
from connectors.payouts.iso20022.simulated_sftp import ARCHIVE, PLAYED, FileBank, serving_files
from connectors.payouts.observed import ObservedConnector
from connectors.payouts.simulated_room import KNOWN, SimulatedRoom

USER, PASSWORD = "sample-factory", "a password on loopback"
PATIENCE = 1.5  # seconds for one operation; a busy machine still answers within it


class FilesRoom(SimulatedRoom):
    """The simulated bank behind its folders. Nobody calls back."""

    slow_seconds = PATIENCE * 1.4

    def callback_url(self, batch_reference: str) -> None:
        """Nobody calls back."""
        del batch_reference


@contextlib.asynccontextmanager
async def under_test(**settings: object) -> AsyncIterator[tuple[Connector, FilesRoom]]:
    """The connector and its bank while the block runs; `settings` go over the connector's configuration."""
    accounts = {FilesRoom.account(number): Account(holder=FilesRoom.holder(number), status="open") for number in range(KNOWN)}
    key = asyncssh.generate_private_key("ssh-ed25519")
    with tempfile.TemporaryDirectory() as folder:
        bank = FileBank(Books(accounts=accounts), Path(folder))
        provider = FilesRoom(bank, PLAYED)
        async with serving_files(bank, user=USER, password=PASSWORD, host_key=key) as port, provider.listening():
            sftp = {
                "host": "127.0.0.1",
                "port": port,
                "username": USER,
                "password": PASSWORD,
                "host_key": key.export_public_key().decode().strip(),
                "archive": ARCHIVE,
                "seconds": PATIENCE,
            }
            given: dict[str, object] = {
                "transport": "sftp",
                "sftp": sftp,
                "debtor_name": "Sample Garment Co., Ltd.",
                "debtor_account": "000100200",
                "bank_bic": "ABAAKHPP",
                "currency": "USD",
                "batch_size": 200,
                **settings,
            }
            connector = ObservedConnector(build(given))
            provider.settings = given
            try:
                yield connector, provider
            finally:
                await connector.aclose()
