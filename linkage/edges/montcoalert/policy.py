"""The imported county's policy: kinds from the titles of its calls; everything else is a choice of ours, marked so."""

from collections.abc import Mapping
from typing import Any

import yaml

from linkage.county import sample_county
from linkage.edges.montcoalert.merging import merging_of
from linkage.edges.montcoalert.survey import COUNTY_CODE
from linkage.edges.montcoalert.words import AGENCIES, labels_of

HEADER = """\
# Made from montcoalert calls: kinds are the calls' titles. The feed gives no counts, so there are no levels: every
# incident is IV and provisional. Departments, teams and limits are choices of ours [D]: change them as needed.
"""
BASIS = "[D] the feed names no departments"
OFFICE = "emergency-office"

PARTIES = (
    ("montcoalert", "source", "Montgomery County 911 feed", "蒙哥马利县911来电"),
    ("ems", "department", "Emergency medical service", "急救中心"),
    ("fire", "department", "Fire service", "消防部门"),
    ("police", "department", "Police", "警察部门"),
    ("public-works", "department", "Public works", "公共工程部门"),
    (OFFICE, "department", "Emergency office", "应急办公室"),
    ("gas-utility", "enterprise", "Gas utility", "燃气公司"),
    ("power-utility", "enterprise", "Power utility", "供电公司"),
)

SLOTS: dict[str, list[dict[str, Any]]] = {
    "ems": [{"lead": ["ems"]}],
    "fire": [{"lead": ["fire"]}, {"assist": ["ems", "police"]}],
    "fire.gas_odor_leak": [{"lead": ["fire"]}, {"assist": ["gas-utility"], "relation": "requested"}],
    "fire.electrical_fire_outside": [{"lead": ["fire"]}, {"assist": ["power-utility"], "relation": "requested"}],
    "traffic": [{"lead": ["police"]}],
    "traffic.vehicle_accident": [{"lead": ["police"]}, {"assist": ["ems", "fire"]}],
    "traffic.vehicle_fire": [{"lead": ["fire"]}, {"assist": ["police"]}],
    "traffic.hazardous_road_conditions": [{"lead": ["police"]}, {"assist": ["public-works"]}],
    "traffic.road_obstruction": [{"lead": ["police"]}, {"assist": ["public-works"]}],
    "*": [{"lead": [OFFICE]}],
}

TEAMS: dict[str, tuple[str, int, int, int, int]] = {
    "ems": ("ems", 4, 3, 2, 1),
    "fire": ("fire", 6, 4, 3, 1),
    "fire.building_fire": ("fire", 8, 6, 4, 2),
    "traffic": ("fire", 2, 1, 1, 0),
    "traffic.vehicle_accident": ("ems", 4, 3, 2, 1),
    "traffic.vehicle_fire": ("fire", 4, 3, 2, 1),
    "*": ("fire", 4, 3, 2, 1),
}
"""skill, teams needed at I, II, III, IV"""


def policy_text(titles: Mapping[str, str]) -> str:
    """`policy.yaml` for these kinds (kind -> title)."""
    known = dict.fromkeys([*(key for key in AGENCIES if _is_used(key, titles)), *sorted(titles)])
    kinds = {key: dict(zip(("en", "zh"), labels_of(key, titles.get(key, "")), strict=True)) for key in known}
    limits = sample_county().policy.limits.model_dump(mode="json")
    policy = {
        "kinds": {"basis": "[D] keys of our own, from the titles of the feed", "keys": kinds},
        "levels": {},
        "whistles": {
            kind: {"basis": BASIS, "slots": slots} for kind, slots in SLOTS.items() if kind == "*" or kind in known
        },
        "teams": {
            kind: {"skill": skill, "i": i, "ii": ii, "iii": iii, "iv": iv, "basis": "[D]"}
            for kind, (skill, i, ii, iii, iv) in TEAMS.items()
            if kind == "*" or kind in known
        },
        "escalation": {"ladder": [OFFICE, COUNTY_CODE], "basis": "[D]"},
        "team_retries": {"times": 12, "basis": "[D]"},
        "limits": limits,
        "merging": merging_of(known),
    }
    return HEADER + yaml.safe_dump(policy, allow_unicode=True, sort_keys=False, width=1000)


def _is_used(agency: str, titles: Mapping[str, str]) -> bool:
    return any(kind.partition(".")[0] == agency for kind in titles)
