"""A made-up county, small enough to keep in mind: two townships with two teams each, one county team, four departments.

What the seeds and the tests run on. Spans are seconds of a test's clock. Codes begin with 99, which no real place uses.
"""

from linkage.events.reference import (
    Extent,
    HubReference,
    KindFamily,
    KindRule,
    LevelCriterion,
    LevelRule,
    Limit,
    Limits,
    Merging,
    Neighbour,
    OrderLimits,
    Pairing,
    Party,
    Policy,
    RegisterParty,
    Team,
    TeamRule,
    Village,
    WhistleRule,
    WhistleSlot,
)
from linkage.topics import Topics, TopicSpec

COUNTY = "990909"
NORTH = "990909001"
SOUTH = "990909002"
TOWNSHIPS = (NORTH, SOUTH)
HUBS = (COUNTY, *TOWNSHIPS)
VILLAGE = {NORTH: f"{NORTH}201", SOUTH: f"{SOUTH}201"}
EXTENT = {
    NORTH: Extent(south=30.1, west=110.0, north=30.2, east=110.1),
    SOUTH: Extent(south=30.0, west=110.0, north=30.1, east=110.1),
}
"""The border is the parallel 30.1."""
SLIDE = "nat.geo.landslide"
PARTITIONS = 4

RECEIVE_S, ACCEPT_S, EN_ROUTE_S, REPORT_IN_S, DONE_S = 10, 20, 30, 60, 600
STEP_S = 15


def _limit(seconds: int) -> Limit:
    return Limit(seconds=seconds, basis="a test's clock")


def order_limits(scale: float = 1.0) -> OrderLimits:
    spans = (RECEIVE_S, ACCEPT_S, EN_ROUTE_S, REPORT_IN_S, DONE_S)
    receive, accept, en_route, report_in, done = (_limit(max(1, int(span * scale))) for span in spans)
    return OrderLimits(receive=receive, accept=accept, en_route=en_route, report_in=report_in, done=done)


KINDS = (
    KindRule(key="nat.geo", label_en="geological danger", label_zh="地质灾害"),
    KindRule(key=SLIDE, label_en="landslide danger", label_zh="滑坡险情"),
)
LEVELS = LevelRule(
    kind="nat.geo",
    criteria=(
        LevelCriterion(count="dead", level_i=30, level_ii=10, level_iii=3, basis="地质灾害防治条例 Art. 4"),
        LevelCriterion(
            count="people_at_risk", level_i=1000, level_ii=500, level_iii=100, basis="重庆市地质灾害防治条例 [F]"
        ),
    ),
)
WHISTLE = WhistleRule(
    kind="nat.geo",
    slots=(
        WhistleSlot(role="lead", candidates=("natural-resources", "emergency")),
        WhistleSlot(role="assist", candidates=("health",)),
    ),
    basis="facts 5.2",
)
TEAMS_NEEDED = TeamRule(
    kind="nat.geo",
    skill="slope_rescue",
    needed_i=4,
    needed_ii=3,
    needed_iii=2,
    needed_iv=1,
    basis="a test's rule",
)


def limits(scale: float = 1.0) -> Limits:
    """The clocks; `scale` stretches every one that a test waits for."""

    def span(seconds: int) -> Limit:
        return _limit(max(1, int(seconds * scale)))

    return Limits(
        department=order_limits(scale),
        team=order_limits(scale),
        stand_down=span(120),
        escalation_step=span(STEP_S),
        county_answer=span(30),
        team_retry=span(40),
        place_report=span(50),
        merge_window=_limit(600),
        message_memory=_limit(30 * 86_400),
        incident_memory=_limit(7 * 86_400),
    )


def policy(scale: float = 1.0) -> Policy:
    """The rules."""
    return Policy(
        version="small-1",
        kinds=KINDS,
        levels=(LEVELS,),
        whistles=(WHISTLE,),
        teams=(TEAMS_NEEDED,),
        escalation=("emergency", COUNTY),
        limits=limits(scale),
        team_retries=1,
        merging=MERGING,
    )


MERGING = Merging(
    families=(KindFamily(name="slope", kinds=("nat.geo",)),),
    pairings=(
        Pairing(
            name="slope_slope",
            one="slope",
            other="slope",
            same_address_s=600,
            one_road_s=600,
            one_road_m=1000,
            nearby_s=300,
            nearby_m=300,
            ask_same_address_s=1200,
            basis="a test's rule",
        ),
    ),
    border_m=500,
    basis="a test's rules",
)
"""Two reports of slopes: one village within 600 s, or points within 300 m and 300 s; until 1200 s a person is asked."""

PARTIES = (
    Party(id="grid", kind="source", label_en="grid workers' app", label_zh="网格员上报"),
    Party(id="hotline", kind="source", label_en="12345 hotline", label_zh="12345热线"),
    Party(id="natural-resources", kind="department", label_en="natural resources bureau", label_zh="自然资源局"),
    Party(id="emergency", kind="department", label_en="emergency bureau", label_zh="应急管理局"),
    Party(id="health", kind="department", label_en="health bureau", label_zh="卫健局"),
    Party(id="fire-rescue", kind="department", label_en="fire brigade", label_zh="消防救援大队"),
    Party(id=COUNTY, kind="county", label_en="county command centre", label_zh="县指挥中心", hub=COUNTY),
    Party(id=NORTH, kind="township", label_en="North township post", label_zh="北镇指挥部", hub=NORTH),
    Party(id=SOUTH, kind="township", label_en="South township post", label_zh="南镇指挥部", hub=SOUTH),
)


def _team(name: str, owner: str, minutes: int, *skills: str) -> Team:
    return Team(
        id=name,
        owner=owner,
        label_en=name,
        label_zh=f"{name}队",
        people=50,
        skills=skills,
        travel_minutes=minutes,
    )


TEAMS = {
    NORTH: (_team("north-rescue", NORTH, 10, "slope_rescue"), _team("north-militia", NORTH, 5, "general")),
    SOUTH: (_team("south-rescue", SOUTH, 10, "slope_rescue"), _team("south-militia", SOUTH, 5, "general")),
    COUNTY: (_team("county-brigade", "fire-rescue", 30, "slope_rescue"),),
}
LABELS = {COUNTY: ("Small county", "小县"), NORTH: ("North", "北镇"), SOUTH: ("South", "南镇")}


def reference(hub: str, scale: float = 1.0, version: str = "small-1") -> HubReference:
    """What one hub is loaded with."""
    others = tuple(Neighbour(township=one, travel_minutes=20, extent=EXTENT[one]) for one in TOWNSHIPS if one != hub)
    label_en, label_zh = LABELS[hub]
    return HubReference(
        version=version,
        county=COUNTY,
        hub=hub,
        label_en=label_en,
        label_zh=label_zh,
        post=hub,
        townships=TOWNSHIPS,
        villages=(Village(code=VILLAGE[hub], label_en="Cloud Terrace", label_zh="云台村"),) if hub in VILLAGE else (),
        neighbours=others if hub in TOWNSHIPS else (),
        parties=PARTIES,
        teams=TEAMS[hub],
        policy=policy(scale),
    )


def registry() -> list[RegisterParty]:
    return [RegisterParty(county=COUNTY, version="small-1", party=party) for party in PARTIES]


def topic_rows(topics: Topics) -> list[tuple[str, TopicSpec]]:
    """Every topic of this county."""
    sources = [party.id for party in PARTIES if party.kind == "source"]
    others = [party.id for party in PARTIES if party.kind != "source"]
    return list(topics.of_parties(sources, others, HUBS))
