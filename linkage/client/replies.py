"""Answering an order: the order's hub repeated, an id that makes saying it twice the same message."""

from dataclasses import dataclass
from datetime import datetime

from linkage.client.deliveries import Order
from linkage.errors import LinkageError
from linkage.events.inbound import Answer, AnswerOrder
from linkage.identity import message_id as derived_message_id


@dataclass(frozen=True, slots=True)
class NamedReply:
    """An answer and the message id under which it is sent."""

    message_id: str
    message: AnswerOrder


def answer_to(
    order: Order,
    answer: Answer | str,
    *,
    reason: str = "",
    eta_at: datetime | None = None,
    actor: str | None = None,
    role: str | None = None,
    occurred_at: datetime | None = None,
    revision: int = 1,
    message_id: str | None = None,
) -> NamedReply:
    """The answer to an order, not sent yet.

    The id derives from order, its revision, the answer and this answer's `revision` (from 1), so that a resend is the
    same message. To correct what was said (another ETA), say it again with the next `revision`. A drill's order is
    answered as a drill's. Raises LinkageError for an answer that does not exist.
    """
    try:
        said = Answer(answer)
    except ValueError as error:
        raise LinkageError(f"{answer!r} is no answer; say one of {', '.join(Answer)}") from error
    briefing = getattr(order, "briefing", None)
    default_id = derived_message_id("reply", order.order_id, order.revision, said.value, revision)
    return NamedReply(
        message_id or default_id,
        AnswerOrder(
            order_id=order.order_id,
            hub=order.hub,
            answer=said,
            reason=reason,
            eta_at=eta_at,
            actor=actor,
            role=role,
            occurred_at=occurred_at,
            exercise=briefing is not None and briefing.exercise,
            revision=revision,
        ),
    )
