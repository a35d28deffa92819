"""The topic table: every topic by name, key, who writes, who reads, what it carries, how it is kept.

The only place that names topics. A namespace (default `linkage`) keeps counties and drills apart.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Cleanup = Literal["delete", "compact"]
Timestamps = Literal["CreateTime", "LogAppendTime"]

DAY_MS = 86_400_000
KEEP_FOR_EVER_MS = -1
MESSAGE_LIMIT_BYTES = 1_048_576
"""The largest record any topic takes; ingress refuses what would not fit, with its reason."""


class Family(StrEnum):
    """The kinds of topics; the ones ending in a dot are one topic for each party or post."""

    REPORT = "report."
    REPLY = "reply."
    COMMAND = "command."
    DISPATCH = "dispatch."
    INBOX = "hub.inbox"
    JOURNAL = "hub.journal"
    LEASE = "hub.lease"
    REGISTRY = "registry"
    REJECTED = "rejected"
    INFORMATION = "information"
    ASSESSMENT = "assessment"
    WHISTLE = "whistle"
    DISPATCHED = "dispatch"
    RECEPTION = "reception"


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """One row of the table. `partitions` None: as many as the county's hubs have (12; tests and demo 4)."""

    family: Family
    key: str
    written_by: str
    read_by: str
    carries: str
    partitions: int | None
    retention_ms: int
    cleanup: Cleanup = "delete"
    timestamps: Timestamps = "LogAppendTime"
    message_limit_bytes: int = MESSAGE_LIMIT_BYTES


TABLE: tuple[TopicSpec, ...] = (
    TopicSpec(Family.REPORT, "any", "one upstream system", "ingress", "ReportIncident", 1, 30 * DAY_MS),
    TopicSpec(Family.REPLY, "any", "one department, township or enterprise", "ingress", "AnswerOrder", 1, 30 * DAY_MS),
    TopicSpec(
        Family.COMMAND, "any", "one command post", "ingress", "commands of the post, reference data", 1, 30 * DAY_MS
    ),
    TopicSpec(
        Family.INBOX,
        "hub code",
        "ingress, the clock, hubs in their transactions",
        "the hub's worker",
        "InboxRecord",
        None,
        30 * DAY_MS,
        message_limit_bytes=2 * MESSAGE_LIMIT_BYTES,
    ),
    TopicSpec(
        Family.JOURNAL,
        "hub code",
        "the hub's worker",
        "recovery, replay, audit, console",
        "JournalRecord",
        None,
        KEEP_FOR_EVER_MS,
        message_limit_bytes=8 * MESSAGE_LIMIT_BYTES,
    ),
    TopicSpec(Family.LEASE, "none", "nobody: membership only", "workers", "nothing", None, DAY_MS),
    TopicSpec(
        Family.DISPATCH,
        "order or message id",
        "the engine alone",
        "that party",
        "orders, notices, receipts, refusals",
        1,
        KEEP_FOR_EVER_MS,
    ),
    *(
        TopicSpec(
            family,
            "hub code",
            "the stage publisher, at least once",
            "whoever follows the stage",
            f"facts of {family.value}",
            None,
            30 * DAY_MS,
        )
        for family in (
            Family.RECEPTION,
            Family.INFORMATION,
            Family.ASSESSMENT,
            Family.WHISTLE,
            Family.DISPATCHED,
        )
    ),
    TopicSpec(
        Family.REGISTRY,
        "party",
        "linkage county load",
        "ingress",
        "RegisterParty",
        1,
        KEEP_FOR_EVER_MS,
        cleanup="compact",
    ),
    TopicSpec(Family.REJECTED, "hub code", "the engine alone", "operators", "RejectRecord", 1, KEEP_FOR_EVER_MS),
)

PARTITIONS_DEFAULT_COUNT = 12
INBOUND_FAMILIES = (Family.REPORT, Family.REPLY, Family.COMMAND)


def party_told(topic: str) -> str | None:
    """Whose dispatch topic this is, in any namespace; None for every other topic."""
    name = topic.partition(".")[2]
    return name.removeprefix(Family.DISPATCH) if name.startswith(Family.DISPATCH) else None


def spec_of(family: Family) -> TopicSpec:
    return next(spec for spec in TABLE if spec.family is family)


@dataclass(frozen=True, slots=True)
class Topics:
    """The names of one namespace."""

    namespace: str = "linkage"

    @property
    def inbox(self) -> str:
        return self._fixed(Family.INBOX)

    @property
    def journal(self) -> str:
        return self._fixed(Family.JOURNAL)

    @property
    def lease(self) -> str:
        return self._fixed(Family.LEASE)

    @property
    def registry(self) -> str:
        return self._fixed(Family.REGISTRY)

    @property
    def rejected(self) -> str:
        return self._fixed(Family.REJECTED)

    def report(self, source: str) -> str:
        return self._fixed(Family.REPORT) + source

    def reply(self, party: str) -> str:
        return self._fixed(Family.REPLY) + party

    def command(self, post: str) -> str:
        return self._fixed(Family.COMMAND) + post

    def dispatch(self, party: str) -> str:
        return self._fixed(Family.DISPATCH) + party

    def stage(self, stage: str) -> str:
        """The topic of a stage's facts; `stage` is the stage's word or `reception`."""
        return f"{self.namespace}.{stage}"

    def inbound_of(self, topic: str) -> tuple[Family, str] | None:
        """(family, party) of a topic that parties write, or None for any other topic."""
        for family in INBOUND_FAMILIES:
            prefix = self._fixed(family)
            if topic.startswith(prefix) and len(topic) > len(prefix):
                return family, topic[len(prefix) :]
        return None

    def transactional_id(self, partition: int) -> str:
        """Who writes a hub partition's journal; the broker fences by it."""
        return f"{self.namespace}.hub.{partition}"

    @property
    def ingress_group(self) -> str:
        return f"{self.namespace}.ingress"

    @property
    def worker_group(self) -> str:
        return f"{self.namespace}.worker"

    @property
    def publisher_group(self) -> str:
        return f"{self.namespace}.stages"

    def of_parties(
        self, sources: Iterable[str], parties: Iterable[str], posts: Iterable[str]
    ) -> list[tuple[str, TopicSpec]]:
        """Every topic of a county, with its row: what `topics apply` creates."""
        named = {
            Family.REPORT: sorted(set(sources)),
            Family.REPLY: sorted(set(parties)),
            Family.COMMAND: sorted(set(posts)),
            Family.DISPATCH: sorted({*sources, *parties, *posts}),
        }
        rows: list[tuple[str, TopicSpec]] = []
        for spec in TABLE:
            if spec.family in named:
                rows += [(self._fixed(spec.family) + name, spec) for name in named[spec.family]]
            else:
                rows.append((self._fixed(spec.family), spec))
        return rows

    def _fixed(self, family: Family) -> str:
        return f"{self.namespace}." + family
