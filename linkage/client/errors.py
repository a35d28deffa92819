"""What can go wrong between a user of the client and Kafka: what happened, whose fault it is, what to do next."""

from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    KafkaError,
    MessageSizeTooLargeError,
    OffsetOutOfRangeError,
    TopicAuthorizationFailedError,
)

from linkage.errors import LinkageError, LogError, NotWritten
from linkage.topics import MESSAGE_LIMIT_BYTES


class KafkaUnreachable(LogError):
    """No broker answered, or none let us in."""


class TopicMissing(LinkageError):
    """The topic does not exist, or we may not see it. Nothing was sent."""


class Denied(LinkageError):
    """The cluster knows us and does not allow it."""


class RecordsGone(LinkageError):
    """Records were deleted before they were read."""


class Unanswered(LinkageError):
    """Kafka has the message; the engine has not answered in the time given. It may still do so."""


def unreachable(bootstrap_servers: str, cause: str) -> KafkaUnreachable:
    return KafkaUnreachable(
        f"cannot reach Kafka at {bootstrap_servers}: {cause}\n"
        "check: is the broker running (`linkage kafka status`), are --bootstrap-servers and the port right, "
        "do --security-protocol, user name, password and CA file fit the cluster?"
    )


def missing(topic: str) -> TopicMissing:
    return TopicMissing(
        f"topic {topic} does not exist, or this user may not see it. Nothing was sent.\n"
        "ask the county to register this party (its parties file, then `linkage topics apply --county DIR`), "
        "and check --namespace"
    )


def failure(error: Exception, doing: str, bootstrap_servers: str) -> LinkageError:
    """The error of ours for one of aiokafka's; `doing` is what was attempted, as in `reading topic x`."""
    match error:
        case LinkageError():
            return error
        case KafkaConnectionError():
            return unreachable(bootstrap_servers, str(error))
        case TopicAuthorizationFailedError() | GroupAuthorizationFailedError() | ClusterAuthorizationFailedError():
            return Denied(
                f"{doing}: the cluster refuses it ({type(error).__name__}). "
                "Ask whoever runs the cluster for the rights of this party (docs: topics, who writes and who reads)"
            )
        case OffsetOutOfRangeError():
            return RecordsGone(
                f"{doing}: the next records to read were deleted before they were read ({error}). "
                "Ask the county what they said; then read from the beginning, or with another group"
            )
        case MessageSizeTooLargeError():
            return too_large(doing, None)
        case KafkaError():
            return LogError(
                f"{doing}: {type(error).__name__}: {error}. Try again; the same message id is the same message"
            )
    return LogError(f"{doing}: {error!r}")


def too_large(doing: str, size_bytes: int | None) -> NotWritten:
    size = "too large" if size_bytes is None else f"{size_bytes} bytes"
    return NotWritten(
        f"{doing}: the message is {size}; a topic takes {MESSAGE_LIMIT_BYTES} bytes. "
        "The sender's fault: send pictures and recordings as attachments by reference"
    )
