"""What upstream systems and departments use: publish, subscribe, reply. aiokafka only; no faust."""

from linkage.client.deliveries import Delivery, EngineAnswer, Order, UnknownMessage
from linkage.client.errors import Denied, KafkaUnreachable, RecordsGone, TopicMissing, Unanswered
from linkage.client.publisher import Outbound, Published, Publisher, reply
from linkage.client.replies import NamedReply, answer_to
from linkage.client.subscription import Subscription, subscribe

__all__ = [
    "Delivery",
    "Denied",
    "EngineAnswer",
    "KafkaUnreachable",
    "NamedReply",
    "Order",
    "Outbound",
    "Published",
    "Publisher",
    "RecordsGone",
    "Subscription",
    "TopicMissing",
    "Unanswered",
    "UnknownMessage",
    "answer_to",
    "reply",
    "subscribe",
]
