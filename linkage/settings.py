"""Settings of a process, from `LINKAGE_*` environment variables or command-line options. Every limit names its unit."""

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from linkage.topics import Topics

SecurityProtocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]


class KafkaSettings(BaseSettings):
    """How to reach a cluster."""

    model_config = SettingsConfigDict(env_prefix="LINKAGE_", frozen=True, extra="ignore")

    bootstrap_servers: str = "127.0.0.1:9092"
    namespace: str = Field(default="linkage", pattern=r"^[a-z0-9][a-z0-9-]*$")
    security_protocol: SecurityProtocol = "PLAINTEXT"
    sasl_mechanism: str = "SCRAM-SHA-512"
    sasl_username: str | None = None
    sasl_password: str | None = Field(default=None, repr=False)
    ssl_cafile: str | None = None
    request_timeout_ms: int = 10_000

    @property
    def topics(self) -> Topics:
        return Topics(self.namespace)


class WorkerSettings(KafkaSettings):
    """One worker process."""

    session_timeout_ms: int = 6_000
    heartbeat_interval_ms: int = 1_000
    transaction_timeout_ms: int = 10_000
    digest_key: str = Field(default="", repr=False)
    """Keys the digests in the dedup memory; the same for every worker of a county. Empty: the namespace."""
    list_limit_records: int = 500
    list_limit_bytes: int = 4_000_000
    read_wait_ms: int = 100
    fold_yield_records: int = 200
    take_over_limit_ms: int = 600_000
    clock_tick_ms: int = 200
    due_repeat_ms: int = 5_000
    answer_wait_limit_ms: int = 60_000
    stall_limit_ms: int = 30_000
    """After so long a loop that has work and makes none, or does not come round, fails `/healthz` and is begun anew."""
    stall_told_ms: int = 10_000
    """How long `/healthz` tells of it from there on, for whoever asks seldom."""
    drain_limit_ms: int = 5_000
    web_port: int = 0
    """0: a free one, named in the log."""
    log_json: bool = False
    log_level: Literal["debug", "info", "warning"] = "info"
    """`debug` logs every step, which costs some microseconds each; the journal holds them in any case."""
