"""Reference data: the sample county, the check before the night it matters, and what travels to the hubs."""

import random
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from linkage.agents.desk import Reference
from linkage.county import (
    SAMPLE_FOLDER,
    County,
    CountyProblems,
    Problem,
    check_county,
    events_to_load,
    load_county,
    sample_county,
    scaled,
)
from linkage.county.folder import FILE_LIMIT_BYTES
from linkage.events.base import Level
from linkage.events.envelope import PARTY_MESSAGE
from linkage.events.reference import HubReference, Policy
from linkage.topics import MESSAGE_LIMIT_BYTES, Topics

CJK = re.compile(r"[\u4e00-\u9fff]")
QINGSHI = "990101002"
YUNTAI = "990101002201"


@pytest.fixture(scope="module")
def county() -> County:
    return sample_county()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SAMPLE_FOLDER, tmp_path / "county"))


def edit(folder: Path, file: str, old: str, new: str) -> None:
    """Changes one place of a file, which must be there."""
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{file} has no {old!r}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def line_of(folder: Path, file: str, text: str) -> int:
    lines = (folder / file).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def append(folder: Path, file: str, row: str) -> None:
    with (folder / file).open("a", encoding="utf-8") as opened:
        opened.write(row + "\n")


class TestSample:
    def test_has_the_county_that_the_issue_asks_for(self, county: County) -> None:
        """13 townships with neighbours, 4 to 8 villages and three teams each, one of 50 or more; five county teams."""
        assert check_county(SAMPLE_FOLDER) == []
        assert [hub[:6] for hub in county.hubs] == ["990101"] * 14
        assert list(county.hubs) == sorted(county.hubs)
        for township in county.townships:
            teams = county.teams[township.id]
            assert len(teams) == 3
            assert max(team.people for team in teams) >= 50
            assert all(team.owner == township.id for team in teams)
            assert 4 <= len(county.villages[township.id]) <= 8
            assert 2 <= len(county.neighbours[township.id]) <= 7
        county_teams = [team.id for team in county.teams["990101"]]
        assert county_teams == ["county-brigade", "team-east", "team-north", "team-south", "team-west"]
        assert {team.owner for team in county.teams["990101"]} == {"fire-rescue"}

    def test_says_everything_in_both_languages(self, county: County) -> None:
        labelled: list[Any] = [*county.directory, *county.policy.kinds]
        labelled += [team for teams in county.teams.values() for team in teams]
        labelled += [village for villages in county.villages.values() for village in villages]
        assert len(labelled) > 150
        for one in labelled:
            assert CJK.search(one.label_zh), one
            assert one.label_en.isascii(), one

    def test_marks_what_each_rule_rests_on(self) -> None:
        """[F] read in a source, [K] common knowledge, [D] our choice: no rule and no limit without one."""
        bases = re.findall(r"basis: (.*)", (SAMPLE_FOLDER / "policy.yaml").read_text(encoding="utf-8"))
        assert len(bases) > 70
        for basis in bases:
            assert re.search(r"\[(F|K|D)[\]:]", basis), basis

    def test_a_neighbour_is_seen_from_both_sides(self, county: County) -> None:
        for here, beside in county.neighbours.items():
            for one in beside:
                back = next(other for other in county.neighbours[one.township] if other.township == here)
                assert (back.travel_minutes, back.may_be_cut) == (one.travel_minutes, one.may_be_cut)

    def test_every_county_team_knows_its_way_to_every_township(self, county: County) -> None:
        for team in county.teams["990101"]:
            assert {leg.to for leg in team.travel} == {township.id for township in county.townships}

    def test_the_levels_are_those_of_the_regulations(self, county: County) -> None:
        """Floors of I, II, III as 地质灾害防治条例 Art. 4, 森林防火条例 Art. 40 and Reg. 493 Art. 3 have them."""
        floors = {
            (rule.kind, one.count): (one.level_i, one.level_ii, one.level_iii)
            for rule in county.policy.levels
            for one in rule.criteria
        }
        assert floors["nat.geo", "people_at_risk"] == (1000, 500, 100)
        assert floors["nat.geo", "dead"] == (30, 10, 3)
        assert floors["nat.wildfire", "area_ha"] == (1000, 100, 1)
        assert floors["acc", "loss_cny"] == (1e8, 5e7, 1e7)
        assert floors["acc", "seriously_injured"] == (100, 50, 10)
        assert floors["nat.quake", "dead"] == (300, 50, 10)
        assert county.policy.limits.department.report_in.seconds == 1800

    def test_a_landslide_finds_its_rules(self, county: County) -> None:
        """The township's own copy is enough to whistle, to choose teams and to name the kind."""
        reference = Reference.of(county.reference_for(QINGSHI))
        rule = reference.whistle_rule("nat.geo.landslide")
        assert rule is not None
        assert [slot.candidates[0] for slot in rule.slots if slot.role == "lead"] == ["natural-resources", "emergency"]
        teams = reference.team_rule("nat.geo.landslide")
        assert teams is not None
        assert teams.needed(Level.III) > teams.needed(Level.IV) > 0
        assert reference.kind_zh("nat.geo.landslide") == "滑坡"
        assert YUNTAI in {village.code for village in reference.content.villages}


class TestTravels:
    def test_a_township_gets_its_own_and_the_county_its_own(self, county: County) -> None:
        township, whole = county.reference_for(QINGSHI), county.reference_for("990101")
        assert {team.owner for team in township.teams} == {QINGSHI}
        assert {village.code[:9] for village in township.villages} == {QINGSHI}
        assert (township.hub, township.post, township.county) == (QINGSHI, QINGSHI, "990101")
        assert (whole.hub, whole.post) == ("990101", "990101")
        assert len(whole.teams) == 5
        assert whole.townships == county.hubs[1:]
        assert township.policy == whole.policy

    def test_one_message_for_each_hub_that_fits_and_reads_back(self, county: County) -> None:
        events = events_to_load(county)
        assert [hub for hub, _, _ in events] == list(county.hubs)
        for hub, _, message in events:
            written = message.model_dump_json()
            assert len(written.encode()) < MESSAGE_LIMIT_BYTES
            assert PARTY_MESSAGE.validate_json(written) == message
            assert message.hub == message.reference.hub == hub

    def test_the_same_content_has_the_same_id_and_other_content_another(self, county: County) -> None:
        """Loading twice changes nothing; a changed policy under an old version is another message all the same."""
        first = [message_id for _, message_id, _ in events_to_load(county)]
        again = [message_id for _, message_id, _ in events_to_load(sample_county())]
        faster = replace(county, policy=scaled(county.policy, 60))
        assert first == again
        assert len(set(first)) == len(first)
        assert not set(first) & {message_id for _, message_id, _ in events_to_load(faster)}

    def test_an_unknown_hub_has_no_reference(self, county: County) -> None:
        with pytest.raises(KeyError):
            county.reference_for("990101099")

    def test_the_registry_names_everybody_once(self, county: County) -> None:
        registered = [entry.party.id for entry in county.registry()]
        assert sorted({*county.sources, *county.parties}) == registered
        assert set(county.posts) == set(county.hubs) <= set(county.parties)
        assert set(county.sources).isdisjoint(county.parties)
        assert {entry.party.coordinate_system.value for entry in county.registry()} == {"CGCS2000"}

    def test_every_team_owner_has_topics_to_be_ordered_and_to_answer(self, county: County) -> None:
        names = {name for name, _ in Topics().of_parties(county.sources, county.parties, county.posts)}
        for teams in county.teams.values():
            for team in teams:
                assert {f"linkage.reply.{team.owner}", f"linkage.dispatch.{team.owner}"} <= names
        assert "linkage.command.990101001" in names


class TestScaled:
    def test_divides_what_somebody_must_answer_and_nothing_else(self, county: County) -> None:
        faster = scaled(county.policy, 60).limits
        assert faster.department.report_in.seconds == 30
        assert "60 times faster than 1800 s" in faster.department.report_in.basis
        assert (faster.county_answer.seconds, faster.place_report.seconds) == (5, 10)
        assert faster.merge_window == county.policy.limits.merge_window
        assert faster.message_memory == county.policy.limits.message_memory

    def test_never_goes_below_a_second(self, county: County) -> None:
        fastest = scaled(county.policy, 1e9)
        assert {fastest.limits.team.receive.seconds, fastest.limits.department.done.seconds} == {1}
        assert Policy.model_validate_json(fastest.model_dump_json()) == fastest
        assert fastest.version != county.policy.version

    @pytest.mark.parametrize("factor", [0, -1, float("nan")])
    def test_refuses_a_factor_that_is_none(self, county: County, factor: float) -> None:
        with pytest.raises(ValueError, match="more than 0"):
            scaled(county.policy, factor)


def drop_lines(file: str, containing: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        lines = (folder / file).read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if containing not in line]
        assert len(kept) < len(lines)
        (folder / file).write_text("".join(kept), encoding="utf-8")

    return change


def swap(file: str, old: str, new: str) -> Callable[[Path], None]:
    return lambda folder: edit(folder, file, old, new)


def adding(file: str, row: str) -> Callable[[Path], None]:
    return lambda folder: append(folder, file, row)


# what a person does to the folder | the file to mend | a text of its line ("" the whole file) | what is said
FAULTS = [
    (swap("county.yaml", "code: 990101", "code: 99010"), "county.yaml", "code:", "code: string should match"),
    (swap("county.yaml", "post: 990101", "post: county"), "county.yaml", "post:", "not the county's code"),
    (swap("county.yaml", "Asia/Shanghai", "Asia/Chengdu"), "county.yaml", "time_zone", "Asia/Chengdu is unknown"),
    (swap("county.yaml", "CGCS2000", "BEIJING54"), "county.yaml", "BEIJING54", "coordinate_system"),
    (swap("county.yaml", "label_zh", "label_cn"), "county.yaml", "label_cn", "label_cn: extra inputs"),
    (swap("county.yaml", "version: 2026-1", "version:"), "county.yaml", "version:", "version: input should be"),
    (drop_lines("townships.csv", "990101013,"), "villages.csv", "990101013001", "lies in no township"),
    (adding("townships.csv", "990102014,990102014,X,某镇"), "townships.csv", "990102014", "not in county 990101"),
    (adding("townships.csv", "990101014,990101014,X,某镇"), "townships.csv", "990101014", "has no neighbour"),
    (adding("townships.csv", "990101014,990101014,X,某镇"), "townships.csv", "990101014", "has no village"),
    (adding("townships.csv", "990101014,990101014,X,某镇"), "townships.csv", "990101014", "has no team"),
    (adding("townships.csv", "990101014,x14,X,某镇"), "townships.csv", "x14", "not the township's code"),
    (drop_lines("villages.csv", "990101007"), "townships.csv", "990101007", "has no village"),
    (drop_lines("teams.csv", ",990101007,"), "townships.csv", "990101007", "has no team"),
    (drop_lines("neighbours.csv", "990101006"), "townships.csv", "990101006", "has no neighbour"),
    (adding("neighbours.csv", "990101001,990101077,9,false"), "neighbours.csv", "990101077", "no township here"),
    (adding("neighbours.csv", "990101001,990101001,9,false"), "neighbours.csv", "001,990101001", "own neighbour"),
    (adding("neighbours.csv", "990101002,990101001,9,false"), "neighbours.csv", "002,990101001", "line 2 already"),
    (adding("neighbours.csv", "990101001,990101013,9,maybe"), "neighbours.csv", "maybe", "may_be_cut"),
    (adding("villages.csv", "990101002201,Yuntai,云台村"), "villages.csv", "Yuntai,", "stands in line"),
    (adding("parties.csv", "police,department,Police,公安"), "parties.csv", "Police,公安", "party police stands"),
    (adding("parties.csv", "990101002,department,X,某"), "parties.csv", "990101002", "is a command post"),
    (adding("parties.csv", "Police!,department,X,某"), "parties.csv", "Police!", "id: string should match"),
    (adding("parties.csv", "boss,mayor,X,某"), "parties.csv", "mayor", "kind: input should be"),
    (adding("teams.csv", "a,ghost,A,甲队,9,general,9"), "teams.csv", "ghost", "owner ghost of team a is no party"),
    (adding("teams.csv", "a,grid,A,甲队,9,general,9"), "teams.csv", "a,grid", "only reports, it takes no orders"),
    (
        adding("teams.csv", "a,police,A,甲队,9,general,9"),
        "teams.csv",
        "a,police",
        "county team a has no travel minutes",
    ),
    (adding("teams.csv", "a,990101001,A,甲队,none,general,9"), "teams.csv", "none", "people: input should be"),
    (adding("teams.csv", "a,990101001,A,甲队,9,,9"), "teams.csv", "甲队", "skills: field required"),
    (adding("teams.csv", "a,990101001,A,甲队,9,general"), "teams.csv", "甲队", "6 cells, but the header names 7"),
    (drop_lines("teams.csv", ",fire-rescue,"), "teams.csv", "", "the county itself has no team"),
    (adding("travel.csv", "ghost,990101001,9"), "travel.csv", "ghost", "team ghost is unknown"),
    (adding("travel.csv", "team-east,990101099,9"), "travel.csv", "990101099", "no township or village here"),
    (drop_lines("travel.csv", "team-east,990101003"), "teams.csv", "team-east", "no travel minutes to 990101003"),
    (swap("policy.yaml", "lead: [natural-resources]", "lead: [land]"), "policy.yaml", "[land]", "candidate land is no"),
    (swap("policy.yaml", "lead: [natural-resources]", "lead: [grid]"), "policy.yaml", "[grid]", "candidate grid is no"),
    (swap("policy.yaml", "lead: [forestry]", "assist: [forestry]"), "policy.yaml", "nat.wildfire:\n", "nobody leads"),
    (swap("policy.yaml", "lead: [forestry]", "lead: []"), "policy.yaml", "lead: []", "either `lead` or `assist`"),
    (swap("policy.yaml", "[forestry]", "[forestry, police]"), "policy.yaml", "[police]", "two seats"),
    (swap("policy.yaml", "ladder: [emergency, 990101]", "ladder: []"), "policy.yaml", "ladder:", "at least 1 item"),
    (swap("policy.yaml", "[emergency, 990101]", "[mayor]"), "policy.yaml", "ladder:", "escalation names mayor"),
    (
        swap("policy.yaml", "skill: slope_rescue", "skill: magic"),
        "policy.yaml",
        "skill: magic",
        "needs teams with magic",
    ),
    (swap("policy.yaml", "iii: 4, iv: 2", "iii: 4, iv: 5"), "policy.yaml", "iv: 5", "worse level needs fewer"),
    (swap("policy.yaml", "i: 1000, ii: 500", "i: 500, ii: 1000"), "policy.yaml", "ii: 1000", "i > ii > iii"),
    (swap("policy.yaml", "count: area_ha", "count: hectares"), "policy.yaml", "hectares", "count: input should be"),
    (swap("policy.yaml", "count: area_ha", "count: dead"), "policy.yaml", "nat.wildfire:", "names a count twice"),
    (
        swap("policy.yaml", "receive: {seconds: 300", "receive: {seconds: 0"),
        "policy.yaml",
        "seconds: 0",
        "greater than",
    ),
    (
        swap("policy.yaml", "  nat.geo: {skill", "  nat.moon: {skill"),
        "policy.yaml",
        "nat.moon",
        "unknown kind nat.moon",
    ),
    (
        swap("policy.yaml", "    nat.bio: {en", "    nat.quake: {en"),
        "policy.yaml",
        "生物",
        "`nat.quake` stands here twice",
    ),
    (
        swap("policy.yaml", "stand_down: {seconds: 1800, ", "stand_down: {"),
        "policy.yaml",
        "stand_down",
        "field required",
    ),
    (swap("policy.yaml", "lead: [forestry]", "lead: [forestry"), "policy.yaml", "assist: [emergency]", "not YAML"),
    (
        swap("policy.yaml", "lead: [forestry]", "lead: &a [forestry]\n      - assist: *a"),
        "policy.yaml",
        "&a",
        "an anchor",
    ),
]


@pytest.mark.parametrize(("change", "file", "at", "what"), FAULTS)
def test_each_fault_is_named_with_file_line_and_remedy(
    folder: Path, change: Callable[[Path], None], file: str, at: str, what: str
) -> None:
    """`linkage county check` leads a person to the line that is to be mended."""
    change(folder)
    problems = check_county(folder)
    problem = next((problem for problem in problems if what in problem.what), None)
    assert problem is not None, [str(problem) for problem in problems]
    assert problem.file == file
    assert problem.remedy
    lines = (folder / file).read_text(encoding="utf-8").splitlines()
    assert at.strip() in lines[problem.line - 1] if at else problem.line == 0
    assert str(problem) in str(CountyProblems(problems))
    assert str(problem).startswith(f"{file}:{problem.line}: " if problem.line else f"{file}: ")
    assert ". Remedy: " in str(problem)


def test_a_kind_without_any_whistle_rule_is_named(folder: Path) -> None:
    """Nobody would come: the check says so at the kind, while there is still time."""
    text = (folder / "policy.yaml").read_text(encoding="utf-8")
    begin = text.index("  '*':\n    basis")
    end = text.index("# How many teams each level needs")
    (folder / "policy.yaml").write_text(text[:begin] + text[end:], encoding="utf-8")
    assert check_county(folder) == []
    edit(folder, "policy.yaml", "    soc: {en", "    odd: {en: odd, zh: 其他}\n    soc: {en")
    (problem,) = check_county(folder)
    assert problem.what == "kind odd has no rule in whistles, nor has any kind above it"
    assert problem.line == line_of(folder, "policy.yaml", "odd: {en")


def test_all_problems_come_together(folder: Path) -> None:
    """One run shows what is wrong in every file, sorted, so that it is mended in one go."""
    edit(folder, "county.yaml", "Asia/Shanghai", "Asia/Chengdu")
    append(folder, "teams.csv", "a,990101001,A,甲队,none,general,9")
    append(folder, "travel.csv", "ghost,990101001,9")
    edit(folder, "policy.yaml", "[emergency, 990101]", "[mayor]")
    with pytest.raises(CountyProblems) as raised:
        load_county(folder)
    assert [problem.file for problem in raised.value.problems] == [
        "county.yaml",
        "policy.yaml",
        "teams.csv",
        "travel.csv",
    ]
    assert len(str(raised.value).splitlines()) == 4


@pytest.mark.parametrize("name", sorted(path.name for path in SAMPLE_FOLDER.iterdir()))
def test_a_file_that_is_missing_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert any(p.file == name and p.what == "the file is missing" for p in check_county(folder))


def test_no_folder_at_all_is_named(tmp_path: Path) -> None:
    (problem,) = check_county(tmp_path / "nowhere")
    assert "no such folder" in problem.what


def test_what_a_spreadsheet_leaves_is_read_or_named(folder: Path) -> None:
    """A byte order mark and CRLF are fine; another encoding is named with its line."""
    path = folder / "villages.csv"
    clean = path.read_text(encoding="utf-8")
    path.write_bytes(b"\xef\xbb\xbf" + clean.replace("\n", "\r\n").encode())
    assert check_county(folder) == []
    path.write_bytes(clean.encode("gb18030"))
    (problem,) = (problem for problem in check_county(folder) if problem.file == "villages.csv")
    assert (problem.line, problem.what) == (2, "not UTF-8")


def test_a_file_far_too_large_is_not_read(folder: Path) -> None:
    with (folder / "travel.csv").open("a") as opened:
        opened.write("x" * FILE_LIMIT_BYTES)
    assert any(str(FILE_LIMIT_BYTES) in problem.what for problem in check_county(folder))


@pytest.mark.parametrize(
    "text", ["[" * 600, "a: " * 500, "- !!python/object:os.system x", "\x00", "1", "{}", "&a [*a]"]
)
def test_yaml_that_is_none_of_ours_is_named_and_never_raises(folder: Path, text: str) -> None:
    (folder / "policy.yaml").write_text(text, encoding="utf-8")
    assert any(problem.file == "policy.yaml" for problem in check_county(folder))


def test_a_damaged_folder_is_always_told_never_a_crash(folder: Path) -> None:
    """Whatever bytes a file loses or gains, the check answers with a list of problems."""
    chance = random.Random(20261123)
    names = sorted(path.name for path in SAMPLE_FOLDER.iterdir())
    told = 0
    for _ in range(25):
        name = chance.choice(names)
        clean = (SAMPLE_FOLDER / name).read_bytes()
        begin = chance.randrange(len(clean))
        garbled = clean[:begin] + chance.randbytes(chance.randrange(4)) + clean[begin + chance.randrange(200) :]
        (folder / name).write_bytes(garbled)
        problems = check_county(folder)
        assert all(isinstance(problem, Problem) and problem.remedy for problem in problems)
        told += bool(problems)
        (folder / name).write_bytes(clean)
    assert told > 12


def test_codes_stay_text_whatever_yaml_would_make_of_them(folder: Path) -> None:
    """990101 is a code and no number; a version may look like a date."""
    edit(folder, "county.yaml", "version: 2026-1", "version: 2026-11-23")
    loaded = load_county(folder)
    assert (loaded.code, loaded.version) == ("990101", "2026-11-23")
    assert loaded.policy.escalation == ("emergency", "990101")
    assert loaded.policy.version == loaded.version
    assert isinstance(loaded.reference_for("990101"), HubReference)
