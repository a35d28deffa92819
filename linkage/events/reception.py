"""Facts of the hub's front desk: what came in, what is known already, what was refused, which reference data rules."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from linkage.events.base import Frozen, Identifier, PartyId, Words
from linkage.events.outbound import Fault, ReceiptOutcome
from linkage.events.reference import HubReference

InboundKind = Literal["report", "reply", "command"]


class UnreadableRecord(Frozen):
    """Ingress: bytes that are no message of ours. The county's hub refuses them inside its transaction."""

    type: Literal["linkage.UnreadableRecord.v0"] = "linkage.UnreadableRecord.v0"
    code: Identifier
    reason: Words
    fault: Fault = "sender"
    bytes_base64: str
    bytes_dropped: Annotated[int, Field(ge=0)] = 0


class SourceGap(Frozen):
    """Ingress: records of a source topic were gone before they were read. The county is told."""

    type: Literal["linkage.SourceGap.v0"] = "linkage.SourceGap.v0"
    topic: Identifier
    partition: int
    from_offset: int
    to_offset: int


class MessageRecorded(Frozen):
    """A message was acted on; what its receipt says, kept for `kept_s` so that a redelivery changes nothing."""

    type: Literal["linkage.MessageRecorded.v0"] = "linkage.MessageRecorded.v0"
    sender: PartyId
    message_id: Identifier
    digest: Identifier
    kind: InboundKind
    outcome: ReceiptOutcome
    incident_id: Identifier | None = None
    recorded_at: AwareDatetime
    kept_s: int


class MessageRepeated(Frozen):
    """The same message again: the same receipt again, nothing else."""

    type: Literal["linkage.MessageRepeated.v0"] = "linkage.MessageRepeated.v0"
    sender: PartyId
    message_id: Identifier
    kind: InboundKind
    outcome: ReceiptOutcome
    incident_id: Identifier | None = None


class MessageRefused(Frozen):
    """Not acted on. A refusal that was the engine's fault is not remembered: it may be sent again."""

    type: Literal["linkage.MessageRefused.v0"] = "linkage.MessageRefused.v0"
    sender: Words
    message_id: Identifier
    digest: Identifier
    code: Identifier
    reason: Words
    fault: Fault
    remembered: bool
    refused_at: AwareDatetime
    kept_s: int


class ReferenceAdopted(Frozen):
    """From here on this version of the reference data rules."""

    type: Literal["linkage.ReferenceAdopted.v0"] = "linkage.ReferenceAdopted.v0"
    reference: HubReference


class SourceGapRecorded(Frozen):
    """Records of a source were lost before the engine saw them; the post was told."""

    type: Literal["linkage.SourceGapRecorded.v0"] = "linkage.SourceGapRecorded.v0"
    topic: Identifier
    partition: int
    from_offset: int
    to_offset: int
