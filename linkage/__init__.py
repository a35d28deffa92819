"""The public names, nothing else. They are fetched when they are first used: importing linkage imports no faust,
no aiokafka and no pydantic, so that `linkage --help` is quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from linkage.client.deliveries import Delivery, UnknownMessage
    from linkage.client.errors import Denied, KafkaUnreachable, RecordsGone, TopicMissing, Unanswered
    from linkage.client.publisher import Outbound, Published, Publisher, reply
    from linkage.client.replies import NamedReply, answer_to
    from linkage.client.subscription import Subscription, subscribe
    from linkage.errors import LinkageError
    from linkage.events.base import (
        Attachment,
        Attested,
        Channel,
        CoordinateSystem,
        Counts,
        Level,
        Place,
    )
    from linkage.events.inbound import (
        Answer,
        AnswerOrder,
        CloseIncident,
        PlaceReport,
        RecordAnswer,
        ReportIncident,
        WithdrawTeam,
    )
    from linkage.events.outbound import (
        Briefing,
        DispatchTeam,
        GiveNotice,
        IssueReceipt,
        IssueRefusal,
        StandDown,
        WhistleDepartment,
    )
    from linkage.settings import KafkaSettings
    from linkage.topics import Family

_MODULE_OF = {
    "Delivery": "linkage.client.deliveries",
    "UnknownMessage": "linkage.client.deliveries",
    "Denied": "linkage.client.errors",
    "KafkaUnreachable": "linkage.client.errors",
    "RecordsGone": "linkage.client.errors",
    "TopicMissing": "linkage.client.errors",
    "Unanswered": "linkage.client.errors",
    "Outbound": "linkage.client.publisher",
    "Published": "linkage.client.publisher",
    "Publisher": "linkage.client.publisher",
    "reply": "linkage.client.publisher",
    "NamedReply": "linkage.client.replies",
    "answer_to": "linkage.client.replies",
    "Subscription": "linkage.client.subscription",
    "subscribe": "linkage.client.subscription",
    "LinkageError": "linkage.errors",
    "Attachment": "linkage.events.base",
    "Attested": "linkage.events.base",
    "Channel": "linkage.events.base",
    "CoordinateSystem": "linkage.events.base",
    "Counts": "linkage.events.base",
    "Level": "linkage.events.base",
    "Place": "linkage.events.base",
    "Answer": "linkage.events.inbound",
    "AnswerOrder": "linkage.events.inbound",
    "CloseIncident": "linkage.events.inbound",
    "PlaceReport": "linkage.events.inbound",
    "RecordAnswer": "linkage.events.inbound",
    "ReportIncident": "linkage.events.inbound",
    "WithdrawTeam": "linkage.events.inbound",
    "Briefing": "linkage.events.outbound",
    "DispatchTeam": "linkage.events.outbound",
    "GiveNotice": "linkage.events.outbound",
    "IssueReceipt": "linkage.events.outbound",
    "IssueRefusal": "linkage.events.outbound",
    "StandDown": "linkage.events.outbound",
    "WhistleDepartment": "linkage.events.outbound",
    "KafkaSettings": "linkage.settings",
    "Family": "linkage.topics",
}

__all__ = [
    "Answer",
    "AnswerOrder",
    "Attachment",
    "Attested",
    "Briefing",
    "Channel",
    "CloseIncident",
    "CoordinateSystem",
    "Counts",
    "Delivery",
    "Denied",
    "DispatchTeam",
    "Family",
    "GiveNotice",
    "IssueReceipt",
    "IssueRefusal",
    "KafkaSettings",
    "KafkaUnreachable",
    "Level",
    "LinkageError",
    "NamedReply",
    "Outbound",
    "Place",
    "PlaceReport",
    "Published",
    "Publisher",
    "RecordAnswer",
    "RecordsGone",
    "ReportIncident",
    "StandDown",
    "Subscription",
    "TopicMissing",
    "Unanswered",
    "UnknownMessage",
    "WhistleDepartment",
    "WithdrawTeam",
    "answer_to",
    "reply",
    "subscribe",
]


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module 'linkage' has no public name {name!r}")
    return getattr(import_module(module), name)


def __dir__() -> list[str]:
    return sorted(__all__)
