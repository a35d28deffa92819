"""How to reach the cluster: one place that turns settings into aiokafka's client arguments."""

import ssl
from typing import Any

from linkage import rebootstrap
from linkage.errors import LogError
from linkage.settings import KafkaSettings

rebootstrap.install()


def client_kwargs(settings: KafkaSettings) -> dict[str, Any]:
    """Arguments that every aiokafka client (producer, consumer, admin, plain client) takes.

    Raises LogError when the security settings contradict each other or the CA file can't be read.
    """
    kwargs: dict[str, Any] = {
        "bootstrap_servers": settings.bootstrap_servers,
        "security_protocol": settings.security_protocol,
        "request_timeout_ms": settings.request_timeout_ms,
    }
    if settings.security_protocol in ("SSL", "SASL_SSL"):
        kwargs["ssl_context"] = _ssl_context(settings)
    if settings.security_protocol.startswith("SASL_"):
        if not settings.sasl_username or not settings.sasl_password:
            raise LogError(
                f"{settings.security_protocol} needs a user and a password:"
                " set LINKAGE_SASL_USERNAME and LINKAGE_SASL_PASSWORD"
            )
        kwargs["sasl_mechanism"] = settings.sasl_mechanism
        kwargs["sasl_plain_username"] = settings.sasl_username
        kwargs["sasl_plain_password"] = settings.sasl_password
    return kwargs


def _ssl_context(settings: KafkaSettings) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=settings.ssl_cafile)
    except (OSError, ssl.SSLError) as error:
        raise LogError(f"can't read the CA file {settings.ssl_cafile} (LINKAGE_SSL_CAFILE): {error}") from error
