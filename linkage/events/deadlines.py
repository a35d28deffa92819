"""Deadlines: what the clock says, and the facts by which one opens and ends, once."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from linkage.events.base import Frozen, Identifier, PartyId, Words

DeadlineOutcome = Literal["met", "overdue", "lifted"]


class DeadlineDue(Frozen):
    """The clock: this revision's instant has come; every answer that could have come stands in the inbox before it."""

    type: Literal["linkage.DeadlineDue.v0"] = "linkage.DeadlineDue.v0"
    deadline_id: Identifier
    revision: Annotated[int, Field(ge=1)]
    due_at: AwareDatetime


class AnswerUnknown(Frozen):
    """The clock: due, but ingress has not passed the topics on which the answer could stand. A person is told."""

    type: Literal["linkage.AnswerUnknown.v0"] = "linkage.AnswerUnknown.v0"
    deadline_id: Identifier
    revision: Annotated[int, Field(ge=1)]
    waited_s: int


class DeadlineSet(Frozen):
    """Somebody has until `due_at`. `answered_by` is the party whose reply topic the clock waits for."""

    type: Literal["linkage.DeadlineSet.v0"] = "linkage.DeadlineSet.v0"
    deadline_id: Identifier
    revision: Annotated[int, Field(ge=1)] = 1
    name: Identifier
    incident_id: Identifier | None
    subject: Identifier
    span_s: int
    due_at: AwareDatetime
    answered_by: PartyId | None
    rung: Annotated[int, Field(ge=0)] = 0


class DeadlineEnded(Frozen):
    """A deadline ends once: met, overdue or lifted, with the reason."""

    type: Literal["linkage.DeadlineEnded.v0"] = "linkage.DeadlineEnded.v0"
    deadline_id: Identifier
    revision: Annotated[int, Field(ge=1)]
    outcome: DeadlineOutcome
    reason: Words


class AnswerAwaited(Frozen):
    """Due, but what was answered is not known yet; the post was told. The deadline stays open."""

    type: Literal["linkage.AnswerAwaited.v0"] = "linkage.AnswerAwaited.v0"
    deadline_id: Identifier
    revision: Annotated[int, Field(ge=1)]
    incident_id: Identifier | None
    subject: Identifier
    waited_s: int
