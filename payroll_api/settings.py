"""What can be set from outside, with the prefix PAYROLL_. `docs/operations.md` lists every one."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from payroll_api.errors import ConfigurationError

DEFAULT_DATA_DIR = Path(".data")

FROZEN_SECONDS = 60


class Settings(BaseSettings):
    """The settings of one process."""

    model_config = SettingsConfigDict(env_prefix="PAYROLL_", extra="ignore")

    data_dir: Path = Field(DEFAULT_DATA_DIR, description="Folder of the embedded database, keys and signed checkpoints")
    database_url: str | None = Field(
        None, description="postgresql:// address of the application role; unset: the embedded PostgreSQL in DATA_DIR", repr=False
    )
    owner_database_url: str | None = Field(
        None, description="postgresql:// address of the owner of the tables; only `payroll migrate` and `payroll admin` use it", repr=False
    )
    key_file: Path | None = Field(None, description="Master key file; unset: keys/master.json in DATA_DIR, made at the first start")
    public_url: str = Field("http://127.0.0.1:8000", description="Address at which banks, wallets and browsers reach this service")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")
    pool_size: int = Field(10, ge=2, le=200, description="Database connections for each process")
    frozen_seconds: int = Field(
        FROZEN_SECONDS, ge=1, description="After so long the database ends a transaction whose process says nothing more"
    )
    chunk_size: int = Field(500, ge=1, le=5000, description="Payments, rows or messages that one job handles")
    look_up_seconds: int = Field(20, ge=1, description="Least time between two look-ups of the same unanswered batch")
    report_layouts: Path | None = Field(None, description="Folder with layouts of authorities' forms, in place of or beside ours")
    session_idle_minutes: int = Field(30, ge=1, description="A session ends after this long without a request")
    session_hours: int = Field(12, ge=1, description="A session ends after this long in any case")
    statement_folder: Path | None = Field(
        None, description="Folder in which each factory's watched folders for statements lie; unset: none is watched"
    )
    metrics_open: bool = Field(default=True, description="Whether /metrics answers without a key; false behind a public front")

    @property
    def master_key_file(self) -> Path:
        """Where the master key lies."""
        return self.key_file or self.data_dir / "keys" / "master.json"

    @property
    def checkpoint_file(self) -> Path:
        """Where signed audit checkpoints are written outside the database."""
        return self.data_dir / "audit" / "checkpoints.jsonl"

    @property
    def journal_file(self) -> Path:
        """Where every sending is written outside the database before it leaves. All machines that run workers share this file."""
        return self.data_dir / "audit" / "sendings.jsonl"

    @property
    def secure_cookies(self) -> bool:
        """Cookies are Secure wherever the public address is https."""
        return self.public_url.startswith("https://")


def load() -> Settings:
    """The settings of the environment. Raises ConfigurationError naming the setting that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "PAYROLL_" + "_".join(str(part) for part in first["loc"]).upper()
        raise ConfigurationError(f"{name}: {first['msg']}. Correct it in the environment and start again.") from None
