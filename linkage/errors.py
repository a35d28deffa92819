"""Errors that say whose fault it is and what to do next."""


class LinkageError(Exception):
    """Base of every error that this package raises on purpose."""


class LogError(LinkageError):
    """Something between us and Kafka went wrong; nothing was decided by it."""


class TopicUnknown(LogError):
    """The broker that was asked knows no such topic, or denies it."""


class Fenced(LogError):
    """Certain: another was given the partition. Nothing of ours was written."""


class OutcomeUnknown(LogError):
    """It may have been written or not: drop the state, close the writer, take over anew."""


class NotWritten(LogError):
    """Certain: nothing of this list was written (too large, denied, aborted). The writer is closed.

    `topic`: the one that could not be written, when it is known which.
    """

    def __init__(self, words: str, topic: str | None = None) -> None:
        super().__init__(words)
        self.topic = topic


class ForeignLog(LogError):
    """The journal or the inbox is not the one the other belongs to. A person must decide which one is right."""


class UnknownFact(LinkageError):
    """The journal holds a fact that this version doesn't know: upgrade the worker, the partition waits."""


class Refusal(LinkageError):
    """A stage can't act on a message: who sent it gets the reason.

    Raised inside `decide`; the engine drops the step and journals one refusal instead.
    """

    def __init__(self, code: str, reason: str, *, fault: str = "sender") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.fault = fault
