"""Settings as aiokafka's client arguments."""

import ssl
from pathlib import Path

import pytest

from linkage.errors import LogError
from linkage.kafka_connection import client_kwargs
from linkage.settings import KafkaSettings


def test_plaintext_needs_the_servers_only() -> None:
    """No credentials travel where none were asked for, even when a user is set."""
    kwargs = client_kwargs(KafkaSettings(bootstrap_servers="a:1,b:2", sasl_username="u", sasl_password="p"))
    assert kwargs == {"bootstrap_servers": "a:1,b:2", "security_protocol": "PLAINTEXT", "request_timeout_ms": 10_000}


def test_sasl_over_tls_checks_the_broker_and_names_the_user() -> None:
    """The default context verifies certificate and host name."""
    settings = KafkaSettings(security_protocol="SASL_SSL", sasl_username="u", sasl_password="p")
    kwargs = client_kwargs(settings)
    assert (kwargs["sasl_mechanism"], kwargs["sasl_plain_username"], kwargs["sasl_plain_password"]) == (
        "SCRAM-SHA-512",
        "u",
        "p",
    )
    assert kwargs["ssl_context"].verify_mode is ssl.CERT_REQUIRED
    assert kwargs["ssl_context"].check_hostname


def test_a_user_without_a_password_is_refused_before_connecting() -> None:
    """aiokafka would say `Unable to bootstrap` and nothing else."""
    with pytest.raises(LogError, match="LINKAGE_SASL_PASSWORD"):
        client_kwargs(KafkaSettings(security_protocol="SASL_PLAINTEXT", sasl_username="u"))


def test_a_ca_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The path stands in the error."""
    missing = str(tmp_path / "ca.pem")
    with pytest.raises(LogError, match=r"ca\.pem"):
        client_kwargs(KafkaSettings(security_protocol="SSL", ssl_cafile=missing))
