"""The configuration check before the night it matters: does the folder make sense as a whole?

Each check looks at one thing and yields every problem that it finds, at the line where a person mends it.
"""

from collections.abc import Callable, Iterable, Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from linkage.agents.desk import ANY_KIND
from linkage.county.check_merging import extents, in_policy, merging_rules
from linkage.county.files import SlotEntry
from linkage.county.folder import (
    COUNTY,
    NEIGHBOURS,
    PARTIES,
    TEAMS,
    TOWNSHIPS,
    TRAVEL,
    VILLAGES,
    Folder,
)
from linkage.county.problems import Problem
from linkage.county.yaml_lines import Path

Check = Callable[[Folder], Iterator[Problem]]


def check_folder(folder: Folder) -> list[Problem]:
    """Everything that is wrong between the lines of a folder, sorted by file and line."""
    return sorted({problem for check in CHECKS for problem in check(folder)})


def covering(kind: str, rules: Iterable[str]) -> str | None:
    """The rule for a kind: that of its longest listed prefix, else `*`, else None."""
    known = set(rules)
    parts = kind.split(".")
    prefixes = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((name for name in (*prefixes, ANY_KIND) if name in known), None)


def _duplicates(folder: Folder) -> Iterator[Problem]:
    keyed: list[tuple[str, str, list[tuple[object, int]]]] = [
        (TOWNSHIPS, "township", [(lined.row.code, lined.line) for lined in folder.townships]),
        (VILLAGES, "village", [(lined.row.code, lined.line) for lined in folder.villages]),
        (TEAMS, "team", [(lined.row.id, lined.line) for lined in folder.teams]),
        (PARTIES, "party", [(lined.row.id, lined.line) for lined in folder.parties]),
        (TRAVEL, "travel", [(f"{lined.row.team} to {lined.row.to}", lined.line) for lined in folder.travel]),
        (NEIGHBOURS, "pair", [(" and ".join(sorted((e.row.a, e.row.b))), e.line) for e in folder.neighbours]),
    ]
    for file, what, keys in keyed:
        first: dict[object, int] = {}
        for key, line in keys:
            if key in first:
                yield Problem(file, line, f"{what} {key} stands in line {first[key]} already", "keep one of the two")
            first.setdefault(key, line)


def _codes(folder: Folder) -> Iterator[Problem]:
    county = folder.county.code
    townships = {lined.row.code for lined in folder.townships}
    for lined in folder.townships:
        if not lined.row.code.startswith(county):
            what = f"township {lined.row.code} is not in county {county}"
            yield Problem(TOWNSHIPS, lined.line, what, f"its code begins with {county}")
    for village in folder.villages:
        if village.row.code[:9] not in townships:
            what = f"village {village.row.code} lies in no township of this county"
            yield Problem(VILLAGES, village.line, what, "its first 9 digits are its township's code")
    if not folder.townships:
        yield Problem(TOWNSHIPS, 0, "no township", "add one row for each township")


def _posts(folder: Folder) -> Iterator[Problem]:
    if folder.county.post != folder.county.code:
        line = folder.county_lines.line_of(("post",))
        yield Problem(
            COUNTY, line, f"post {folder.county.post} is not the county's code", f"write {folder.county.code}"
        )
    for lined in folder.townships:
        if lined.row.post != lined.row.code:
            what = f"post {lined.row.post} is not the township's code"
            yield Problem(TOWNSHIPS, lined.line, what, f"write {lined.row.code}: its topics are named so")
    posts = {folder.county.post, *(lined.row.post for lined in folder.townships)}
    for party in folder.parties:
        if party.row.id in posts:
            yield Problem(PARTIES, party.line, f"{party.row.id} is a command post", "take it out: posts are known")


def _time_zones(folder: Folder) -> Iterator[Problem]:
    named = [(COUNTY, folder.county_lines.line_of(("time_zone",)), folder.county.time_zone)]
    named += [(PARTIES, lined.line, lined.row.time_zone) for lined in folder.parties if lined.row.time_zone]
    for file, line, name in named:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            yield Problem(file, line, f"time zone {name} is unknown", "write one like Asia/Shanghai")


def _neighbours(folder: Folder) -> Iterator[Problem]:
    townships = {lined.row.code for lined in folder.townships}
    beside: set[str] = set()
    for lined in folder.neighbours:
        pair = (lined.row.a, lined.row.b)
        for code in pair:
            if code not in townships:
                yield Problem(NEIGHBOURS, lined.line, f"{code} is no township here", "see townships.csv for the codes")
        if pair[0] == pair[1]:
            yield Problem(NEIGHBOURS, lined.line, f"{pair[0]} is its own neighbour", "name the other one, or delete")
        else:
            beside.update(pair)
    for township in folder.townships:
        if township.row.code not in beside and len(townships) > 1:
            what = f"township {township.row.code} {township.row.label_zh} has no neighbour"
            yield Problem(TOWNSHIPS, township.line, what, f"add its pairs to {NEIGHBOURS}")


def _villages(folder: Folder) -> Iterator[Problem]:
    inhabited = {lined.row.code[:9] for lined in folder.villages}
    for lined in folder.townships:
        if lined.row.code not in inhabited:
            what = f"township {lined.row.code} {lined.row.label_zh} has no village"
            yield Problem(TOWNSHIPS, lined.line, what, f"add its villages to {VILLAGES}")


def _teams(folder: Folder) -> Iterator[Problem]:
    sources = {lined.row.id for lined in folder.parties if lined.row.kind == "source"}
    owners = _answering(folder)
    for lined in folder.teams:
        if (owner := lined.row.owner) not in owners:
            why = "only reports, it takes no orders" if owner in sources else "is no party here"
            remedy = f"name a township's or the county's post, or a party of {PARTIES}"
            yield Problem(TEAMS, lined.line, f"owner {owner} of team {lined.row.id} {why}", remedy)
    owning = {lined.row.owner for lined in folder.teams}
    for township in folder.townships:
        if township.row.post not in owning:
            what = f"township {township.row.code} {township.row.label_zh} has no team"
            yield Problem(TOWNSHIPS, township.line, what, f"add a team with owner {township.row.post} to {TEAMS}")
    if folder.teams and not _county_teams(folder):
        yield Problem(TEAMS, 0, "the county itself has no team", "add one whose owner is a department")


def _travel(folder: Folder) -> Iterator[Problem]:
    teams = {lined.row.id for lined in folder.teams}
    places = {lined.row.code for lined in folder.townships} | {lined.row.code for lined in folder.villages}
    listed = {(lined.row.team, lined.row.to) for lined in folder.travel}
    for lined in folder.travel:
        if lined.row.team not in teams:
            yield Problem(TRAVEL, lined.line, f"team {lined.row.team} is unknown", f"see {TEAMS} for the ids")
        if lined.row.to not in places:
            what = f"{lined.row.to} is no township or village here"
            yield Problem(TRAVEL, lined.line, what, f"see {TOWNSHIPS} and {VILLAGES} for the codes")
    for team, line in _county_teams(folder).items():
        missing = [one.row.code for one in folder.townships if (team, one.row.code) not in listed]
        if missing:
            what = f"county team {team} has no travel minutes to {', '.join(missing[:5])}"
            what += f" and {len(missing) - 5} more townships" if len(missing) > 5 else ""
            yield Problem(TEAMS, line, what, f"add them to {TRAVEL}: the nearest team is chosen by them")


def _rule_kinds(folder: Folder) -> Iterator[Problem]:
    policy = folder.policy
    for section, rules in (("levels", policy.levels), ("whistles", policy.whistles), ("teams", policy.teams)):
        for kind in rules:
            if kind != ANY_KIND and kind not in policy.kinds.keys:
                yield in_policy(folder, (section, kind), f"rule for unknown kind {kind}", "add it to kinds.keys")
    for kind in policy.kinds.keys:
        for section, covered in (("whistles", policy.whistles), ("teams", policy.teams)):
            if covering(kind, covered) is None:
                what = f"kind {kind} has no rule in {section}, nor has any kind above it"
                yield in_policy(folder, ("kinds", "keys", kind), what, f"add one, or a rule `*`, to {section}")


def _criteria(folder: Folder) -> Iterator[Problem]:
    for kind, criteria in folder.policy.levels.items():
        for index, one in enumerate(criteria):
            if not one.i > one.ii > one.iii > 0:
                what = f"{kind} {one.count}: the floors are not i > ii > iii > 0"
                yield in_policy(folder, ("levels", kind, index), what, "level i is the worst")
        counts = [one.count for one in criteria]
        if len(set(counts)) < len(counts):
            yield in_policy(folder, ("levels", kind), f"{kind} names a count twice", "keep one of the two")


def _slots(folder: Folder) -> Iterator[Problem]:
    parties = _answering(folder)
    for kind, rule in folder.policy.whistles.items():
        seated: set[str] = set()
        for index, slot in enumerate(rule.slots):
            path: Path = ("whistles", kind, "slots", index)
            if bool(slot.lead) == bool(slot.assist):
                what = f"{kind}: a seat is either `lead` or `assist`"
                yield in_policy(folder, path, what, "write one of them, with at least one party")
            for party in candidates(slot):
                if party not in parties:
                    what = f"{kind}: candidate {party} is no department, enterprise or post here"
                    yield in_policy(folder, path, what, f"see {PARTIES} for the ids")
                if party in seated:
                    what = f"{kind}: {party} stands in two seats and would get two orders"
                    yield in_policy(folder, path, what, "keep it in one")
                seated.add(party)
        if not any(slot.lead for slot in rule.slots):
            yield in_policy(folder, ("whistles", kind), f"{kind}: nobody leads", "make one seat `lead`")


def _escalation(folder: Folder) -> Iterator[Problem]:
    parties = _answering(folder)
    for index, party in enumerate(folder.policy.escalation.ladder):
        if party not in parties:
            path: Path = ("escalation", "ladder", index)
            what = f"escalation names {party}, which is no department, enterprise or post here"
            yield in_policy(folder, path, what, f"see {PARTIES} for the ids")


def _skills(folder: Folder) -> Iterator[Problem]:
    county = set(_county_teams(folder))
    by_owner: dict[str, set[str]] = {}
    for lined in folder.teams:
        hub = "" if lined.row.id in county else lined.row.owner
        by_owner.setdefault(hub, set()).update(lined.row.skills)
    for kind, rule in folder.policy.teams.items():
        if max(rule.i, rule.ii, rule.iii, rule.iv) == 0 or rule.skill in by_owner.get("", set()):
            continue
        without = [one.row.code for one in folder.townships if rule.skill not in by_owner.get(one.row.post, set())]
        if without:
            what = f"{kind} needs teams with {rule.skill}, but none can come to {', '.join(without[:5])}"
            yield in_policy(folder, ("teams", kind, "skill"), what, f"give the skill to a team in {TEAMS}")
    for kind, rule in folder.policy.teams.items():
        if not rule.i >= rule.ii >= rule.iii >= rule.iv:
            what = f"{kind}: a worse level needs fewer teams"
            yield in_policy(folder, ("teams", kind), what, "i >= ii >= iii >= iv")


def candidates(slot: SlotEntry) -> tuple[str, ...]:
    """Who sits there, in order."""
    return slot.lead or slot.assist


def _answering(folder: Folder) -> set[str]:
    """Everybody who takes orders: departments, enterprises, posts."""
    named = {lined.row.id for lined in folder.parties if lined.row.kind != "source"}
    return {*named, folder.county.post, *(lined.row.post for lined in folder.townships)}


def _county_teams(folder: Folder) -> dict[str, int]:
    """The teams that no township owns, with their lines."""
    posts = {lined.row.post for lined in folder.townships}
    return {lined.row.id: lined.line for lined in folder.teams if lined.row.owner not in posts}


CHECKS: tuple[Check, ...] = (
    _duplicates,
    _codes,
    _posts,
    _time_zones,
    _neighbours,
    extents,
    _villages,
    _teams,
    _travel,
    _rule_kinds,
    _criteria,
    _slots,
    _escalation,
    _skills,
    merging_rules,
)
