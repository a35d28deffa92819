"""Names for codes, from the reference data that stands in the journal itself."""

from dataclasses import dataclass, field

from linkage.events.base import Place
from linkage.events.deadlines import DeadlineSet
from linkage.events.dispatch import CountyTeamRequested, TeamOrdered
from linkage.events.envelope import Fact, JournalRecord
from linkage.events.reception import ReferenceAdopted
from linkage.events.reference import HubReference, Party, Team, Village
from linkage.events.whistle import DepartmentWhistled


@dataclass(frozen=True, slots=True)
class Label:
    """A code and what people call it. Without reference data both names are the code."""

    code: str
    en: str
    zh: str

    @property
    def both(self) -> str:
        return self.en if self.en == self.zh else f"{self.en} {self.zh}"


@dataclass(slots=True)
class Labels:
    """Grows with every ReferenceAdopted; the last version of a name stands."""

    parties: dict[str, Party] = field(default_factory=dict)
    teams: dict[str, Team] = field(default_factory=dict)
    villages: dict[str, Village] = field(default_factory=dict)
    hubs: dict[str, Label] = field(default_factory=dict)
    kinds: dict[str, Label] = field(default_factory=dict)
    escalation: tuple[str, ...] = ()
    time_zone: str = "Asia/Shanghai"
    """The county's, as its posts have it."""
    named: dict[str, str] = field(default_factory=dict)
    """Whom an order, a request or a deadline id is about, in words."""

    def take(self, record: JournalRecord) -> None:
        for staged in record.facts:
            if isinstance(staged.fact, ReferenceAdopted):
                self.adopt(staged.fact.reference)

    def adopt(self, content: HubReference) -> None:
        self.parties.update((one.id, one) for one in content.parties)
        self.teams.update((one.id, one) for one in content.teams)
        self.villages.update((one.code, one) for one in content.villages)
        self.hubs[content.hub] = Label(content.hub, content.label_en, content.label_zh)
        self.kinds.update((one.key, Label(one.key, one.label_en, one.label_zh)) for one in content.policy.kinds)
        self.escalation = content.policy.escalation
        post = next((one for one in content.parties if one.id == content.post), None)
        self.time_zone = post.time_zone if post else self.time_zone

    def note(self, fact: Fact) -> None:
        """Learns whom the ids of this fact are about. The reference data must be known before."""
        match fact:
            case DepartmentWhistled():
                self.named[fact.order_id] = self.party(fact.party).both
            case TeamOrdered():
                self.named[fact.order_id] = self.team(fact.team, fact.team_zh).both
            case CountyTeamRequested():
                self.named[fact.request_id] = f"the county's team for seat {fact.slot} 县级队伍"
            case DeadlineSet():
                self.named[fact.deadline_id] = self.about(fact.subject)

    def about(self, identifier: str) -> str:
        """Who an id is about; the id itself when that is not known."""
        return self.named.get(identifier, identifier)

    def party(self, code: str) -> Label:
        known = self.parties.get(code)
        return Label(code, known.label_en, known.label_zh) if known else self.hub(code)

    def team(self, code: str, zh: str = "") -> Label:
        known = self.teams.get(code)
        return Label(code, known.label_en, known.label_zh) if known else Label(code, code, zh or code)

    def hub(self, code: str) -> Label:
        return self.hubs.get(code) or Label(code, code, code)

    def kind(self, key: str) -> Label:
        """The name of a kind, or of the nearest kind above it."""
        above = key
        while above and above not in self.kinds:
            above = above.rpartition(".")[0]
        found = self.kinds.get(above)
        return Label(key, found.en, found.zh) if found else Label(key, key, key)

    def place(self, place: Place) -> Label:
        """Village and township as far as they are known, then the reporter's words."""
        village = self.villages.get(place.village or (place.group or "")[:12])
        township = self.hub(place.hub) if place.hub else None
        names_en = [one for one in (village and village.label_en, township and township.en) if one]
        names_zh = [one for one in (township and township.zh, village and village.label_zh) if one]
        words = f" ({place.words})" if place.words else ""
        code = place.group or place.village or place.township or ""
        return (
            Label(code, ", ".join(names_en) + words, "".join(names_zh)) if names_en else Label(code, *[place.words] * 2)
        )
