"""Who sees everything that is committed, without a port call: it judges a run and never takes part in it."""

from dataclasses import dataclass, field

from linkage.events.deadlines import DeadlineEnded, DeadlineSet
from linkage.events.dispatch import TeamOrdered, TeamReleased
from linkage.events.envelope import JOURNAL, Fact, JournalRecord
from linkage.events.information import IncidentClosed, IncidentOpened
from linkage.runtime.ports import Record, TopicPartition
from linkage.simulation.cluster import Cluster
from linkage.simulation.memory_broker import MemoryBroker

READ_LIMIT_RECORDS = 1_000_000


@dataclass(slots=True)
class Followed:
    """One topic, as a committed reader sees it, a bit at a time."""

    broker: MemoryBroker
    topic: str
    positions: dict[int, int] = field(default_factory=dict)
    last: dict[int, int] = field(default_factory=dict)
    """partition -> the offset of its last committed record"""

    def is_open(self, partition: int) -> bool:
        """Whether a transaction is not settled yet: what was written since it began can't be seen until it is."""
        return self.positions.get(partition, 0) < self.broker.topics[self.topic].partitions[partition].end

    def news(self) -> list[Record]:
        """What was committed since the last time, partition after partition."""
        found: list[Record] = []
        for partition in self.broker.topics[self.topic].partitions:
            at = self.positions.get(partition.number, partition.begin)
            records, self.positions[partition.number] = partition.read(at, READ_LIMIT_RECORDS)
            found += records
            if records:
                self.last[partition.number] = records[-1].offset
        return found


@dataclass(slots=True)
class Witness:
    """What stands in the journal, and what of it is still open. Call `look` before asking."""

    cluster: Cluster
    steps: list[JournalRecord] = field(default_factory=list)
    incidents: dict[str, str] = field(default_factory=dict)
    """open incident -> hub"""
    deadlines: dict[str, DeadlineSet] = field(default_factory=dict)
    held: dict[str, TeamOrdered] = field(default_factory=dict)
    """order -> the order to a team that has not been released"""
    hub_of_order: dict[str, str] = field(default_factory=dict)
    journal: Followed = field(init=False)
    inbox: Followed = field(init=False)

    def __post_init__(self) -> None:
        self.inbox = Followed(self.cluster.broker, self.cluster.topics.inbox)
        self.journal = Followed(self.cluster.broker, self.cluster.topics.journal)

    def look(self) -> None:
        """Takes in what was committed since the last look."""
        for record in self.journal.news():
            entry = JOURNAL.validate_json(record.value or b"")
            if isinstance(entry, JournalRecord):
                self.steps.append(entry)
                for staged in entry.facts:
                    self._note(entry.hub, staged.fact)

    def _note(self, hub: str, fact: Fact) -> None:
        match fact:
            case IncidentOpened():
                self.incidents[fact.incident_id] = hub
            case IncidentClosed():
                self.incidents.pop(fact.incident_id, None)
            case DeadlineSet():
                self.deadlines[fact.deadline_id] = fact
            case DeadlineEnded():
                self.deadlines.pop(fact.deadline_id, None)
            case TeamOrdered():
                self.held[fact.order_id] = fact
                self.hub_of_order[fact.order_id] = hub
            case TeamReleased():
                self.held.pop(fact.order_id, None)

    def behind(self) -> list[str]:
        """What lies unread or undone: in the parties' topics, in the inboxes, in the journal before its publisher."""
        cluster = self.cluster
        told = cluster.broker.group(cluster.topics.ingress_group).committed
        left: list[str] = []
        for name, topic in sorted(cluster.broker.topics.items()):
            if cluster.topics.inbound_of(name) is None:
                continue
            for partition in topic.partitions:
                position = told.get(TopicPartition(name, partition.number), 0)
                if position < partition.end:
                    left.append(f"{name} [{partition.number}]: ingress at {position} of {partition.end}")
        return left + self._leases_behind()

    def _leases_behind(self) -> list[str]:
        """A partition is done when the one hub loop that serves it has read its inbox to the last record."""
        self.inbox.news()
        cluster = self.cluster
        left: list[str] = []
        published = cluster.broker.group(cluster.topics.publisher_group).committed
        for number in range(cluster.partitions):
            leases = [
                worker.member.leases[number]
                for worker in cluster.workers
                if worker.process.alive and number in worker.member.leases
            ]
            followed = (self.inbox, self.journal)
            left += [f"{one.topic} [{number}]: not settled" for one in followed if one.is_open(number)]
            serving = [lease for lease in leases if lease.hub.progress.phase == "serving"]
            last = self.inbox.last.get(number, -1)
            if len(serving) != 1 or serving[0].hub.progress.next_offset <= last:
                phases = [(lease.hub.progress.phase, lease.hub.progress.next_offset) for lease in leases]
                left.append(f"inbox [{number}], last record {last}: {phases}")
            last = self.journal.last.get(number, 0)
            if last > 0 and published.get(TopicPartition(self.journal.topic, number), 0) <= last:
                left.append(f"journal [{number}], last record {last}: not published")
        return left
