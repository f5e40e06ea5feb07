"""A bank's folders over SFTP: the host's key is pinned, a file appears whole or not at all, and nothing is ever overwritten.

A message is written under a name that the bank does not look at and then renamed, which the server does at once and refuses where the
name is taken. Reading changes nothing at the bank, so it is tried again over a new connection; writing never is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

import asyncssh
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

LARGEST_FILE = 64 * 1024 * 1024
MOST_FILES = 10_000  # in one folder; more means that nobody tidies up
_LOST = (OSError, asyncssh.Error, asyncio.TimeoutError)
_Result = TypeVar("_Result")


class SftpSettings(BaseModel):
    """How a bank's file server is reached. Folders and names are the bank's; see its letter."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    host: str = Field(min_length=1)
    port: int = Field(default=22, ge=1, le=65535)
    username: str = Field(min_length=1)
    private_key: SecretStr | None = None  # OpenSSH or PEM
    password: SecretStr | None = None
    host_key: str = Field(pattern=r"^(ssh-|ecdsa-|sk-)\S+ \S+")  # the server's public key as in known_hosts, without the name
    outgoing: str = "in"  # the bank's inbox
    incoming: str = "out"  # where the bank puts pain.002 and camt.053
    archive: str | None = None  # where the bank keeps messages that it took; without it an absent file proves nothing
    seconds: float = Field(default=30.0, gt=0)  # for one operation

    @model_validator(mode="after")
    def _one_way_in(self) -> SftpSettings:
        if (self.private_key is None) == (self.password is None):
            raise ValueError("set either private_key or password")
        try:
            asyncssh.import_public_key(self.host_key)
            if self.private_key is not None:
                asyncssh.import_private_key(self.private_key.get_secret_value())
        except (asyncssh.KeyImportError, ValueError):
            raise ValueError("host_key or private_key is no key; copy them again") from None
        return self


class NotSentError(Exception):
    """No byte of the message left. `code` is one of OUTCOME_CODES."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class TakenNameError(Exception):
    """The bank has a file of this name: it was sent before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """A file in one of the bank's folders. Two files of one name at different times are two files."""

    path: str
    size: int
    changed: int  # seconds of the server's clock

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


class SftpFolders:
    """One connection to one bank, opened when it is needed and again when it broke."""

    def __init__(self, settings: SftpSettings) -> None:
        self._settings = settings
        self._connection: asyncssh.SSHClientConnection | None = None
        self._sftp: asyncssh.SFTPClient | None = None
        self._turn = asyncio.Lock()

    async def put(self, name: str, body: bytes) -> None:
        """Let `name` appear in the bank's inbox, once.

        Raises NotSentError where nothing left, TakenNameError where the bank has it; OSError or asyncssh.Error where it is open.
        """
        async with self._turn:
            sftp = await self._ready()
            folder = self._settings.outgoing
            final, partial = f"{folder}/{name}", f"{folder}/.{name}.part"
            for place in (folder, *((self._settings.archive,) if self._settings.archive else ())):
                if await self._within(sftp.exists(f"{place}/{name}")):
                    raise TakenNameError
            try:
                async with sftp.open(partial, "wb") as file:
                    await self._within(file.write(body))
                await self._within(sftp.rename(partial, final))
            except _LOST:
                await self._drop()
                raise

    async def listed(self, folder: str) -> Sequence[RemoteFile]:
        """The files of a folder, the oldest first; those whose names begin with a dot are still being written."""

        async def look(sftp: asyncssh.SFTPClient) -> list[RemoteFile]:
            found = []
            async for entry in sftp.scandir(folder):
                name, kind = str(entry.filename), entry.attrs.type
                if not name.startswith(".") and kind in {asyncssh.FILEXFER_TYPE_REGULAR, asyncssh.FILEXFER_TYPE_UNKNOWN}:
                    found.append(RemoteFile(path=f"{folder}/{name}", size=entry.attrs.size or 0, changed=entry.attrs.mtime or 0))
                if len(found) >= MOST_FILES:
                    break
            return sorted(found, key=lambda file: (file.changed, file.path))

        return await self._reading(look)

    async def has(self, name: str) -> bool:
        """Whether the bank's inbox or archive holds the message."""
        places = [self._settings.outgoing, *((self._settings.archive,) if self._settings.archive else ())]

        async def look(sftp: asyncssh.SFTPClient) -> bool:
            # The archive after the inbox would miss a file that moves in between, so the inbox is asked last, too.
            return any([await sftp.exists(f"{place}/{name}") for place in (*places, places[0])])

        return await self._reading(look)

    async def read(self, file: RemoteFile) -> bytes | None:
        """The bytes of a file; None where it is larger than any honest one, or gone."""
        if file.size > LARGEST_FILE:
            return None

        async def look(sftp: asyncssh.SFTPClient) -> bytes | None:
            try:
                async with sftp.open(file.path, "rb") as opened:
                    return cast("bytes", await opened.read(LARGEST_FILE))  # opened as bytes; the library's types name text
            except asyncssh.SFTPNoSuchFile:
                return None

        return await self._reading(look)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._drop()

    async def _reading(self, look: Callable[[asyncssh.SFTPClient], Awaitable[_Result]]) -> _Result:
        """Read, and once again over a new connection where the old one had broken. Raises NotSentError, OSError or asyncssh.Error."""
        async with self._turn:
            had_one = self._sftp is not None
            try:
                return await self._within(look(await self._ready()))
            except _LOST:
                await self._drop()
                if not had_one:
                    raise
            try:
                return await self._within(look(await self._ready()))
            except _LOST:
                await self._drop()
                raise

    async def _ready(self) -> asyncssh.SFTPClient:
        """A connection that answers. Raises NotSentError."""
        if self._sftp is not None:
            try:
                await self._within(self._sftp.realpath("."))
            except _LOST:
                await self._drop()
            else:
                return self._sftp
        try:
            return await self._within(self._connect())
        except asyncssh.HostKeyNotVerifiable:
            raise NotSentError("not_authorised", "the server's key is not the bank's: ask the bank whether it changed its key") from None
        except asyncssh.PermissionDenied:
            raise NotSentError("not_authorised", "the bank's server refused our key or password") from None
        except _LOST:
            await self._drop()
            raise NotSentError("temporary", "the bank's server could not be reached") from None

    async def _connect(self) -> asyncssh.SFTPClient:
        given = self._settings
        key = given.private_key.get_secret_value() if given.private_key is not None else None
        self._connection = await asyncssh.connect(
            given.host,
            given.port,
            username=given.username,
            client_keys=[asyncssh.import_private_key(key)] if key is not None else None,
            password=given.password.get_secret_value() if given.password is not None else None,
            known_hosts=([asyncssh.import_public_key(given.host_key)], [], []),
            config=None,
            agent_path=None,
            keepalive_interval=15,
        )
        self._sftp = await self._connection.start_sftp_client()
        return self._sftp

    async def _drop(self) -> None:
        connection, self._connection, self._sftp = self._connection, None, None
        if connection is not None:
            connection.abort()

    async def _within(self, work: Awaitable[_Result]) -> _Result:
        async with asyncio.timeout(self._settings.seconds):
            return await work
