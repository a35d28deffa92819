"""The imported county's rules of merging: which titles can be one event, how near, how many seconds apart.

Chosen on the tuning half of labelled pairs, and by what dispatchers do; `docs/merging.md` says how well they hold.
"""

from collections.abc import Iterable
from typing import Any

FAMILIES = {
    "crash": ("vehicle_accident", "vehicle_fire", "vehicle_leaking_fuel", "rescue_general", "train_crash"),
    "road": (
        "road_obstruction",
        "hazardous_road_conditions",
        "debris_fluids_on_highway",
        "disabled_vehicle",
        "fire_police_needed",
    ),
    "alarm": ("fire_alarm", "rescue_elevator"),
    "fire": (
        "building_fire",
        "appliance_fire",
        "electrical_fire_outside",
        "fire_investigation",
        "fire_special_service",
        "trash_dumpster_fire",
        "unknown_type_fire",
        "woods_field_fire",
        "burn_victim",
        "rescue_technical",
        "rescue_water",
        "pump_detail",
        "s_b_at_helicopter_landing",
    ),
    "gas": ("gas_odor_leak", "carbon_monoxide_detector", "hazardous_materials_incident"),
    "violence": ("shooting", "stabbing", "assault_victim", "active_shooter", "suspicious", "police_information"),
    "injury": (
        "amputation",
        "back_pains_injury",
        "fall_victim",
        "fracture",
        "head_injury",
        "hemorrhaging",
        "lacerations",
        "subject_in_pain",
        "unconscious_subject",
        "unknown_medical_emergency",
        "unresponsive_subject",
        "ems_special_service",
    ),
}
"""What stands after the agency, whichever agency it is. Every other EMS kind is an illness."""
ILLNESS = "ems"
D = "[D]"

PAIRINGS: tuple[dict[str, Any], ...] = (
    {"one": "crash", "other": "crash", "same_address_s": 1800, "one_road_s": 900, "one_road_m": 800}
    | {"nearby_s": 300, "nearby_m": 250, "ask_same_address_s": 2700, "ask_one_road_s": 1200},
    {"one": "crash", "other": "road", "same_address_s": 1500, "one_road_s": 600, "one_road_m": 400}
    | {"ask_same_address_s": 2700, "ask_one_road_s": 900},
    {"one": "road", "other": "road", "same_address_s": 3600, "one_road_s": 420, "one_road_m": 400}
    | {"ask_same_address_s": 7200, "ask_one_road_s": 900},
    {"one": "crash", "other": "fire", "same_address_s": 1500, "one_road_s": 300, "one_road_m": 400}
    | {"ask_same_address_s": 2700, "ask_one_road_s": 900},
    {"one": "crash", "other": "gas", "same_address_s": 1200, "ask_same_address_s": 1800},
    {"one": "crash", "other": "injury", "same_address_s": 900, "one_road_s": 900, "one_road_m": 120}
    | {"ask_same_address_s": 1200, "ask_one_road_s": 900},
    {"one": "crash", "other": "illness", "ask_same_address_s": 600},
    {"one": "crash", "other": "violence", "ask_same_address_s": 600},
    {"one": "road", "other": "fire", "same_address_s": 1500, "one_road_s": 600, "one_road_m": 400}
    | {"ask_same_address_s": 2700},
    {"one": "road", "other": "injury", "ask_same_address_s": 600},
    {"one": "road", "other": "gas", "same_address_s": 1200},
    {"one": "fire", "other": "fire", "same_address_s": 1200, "one_road_s": 600, "one_road_m": 300}
    | {"nearby_s": 300, "nearby_m": 200, "ask_same_address_s": 2700},
    {"one": "alarm", "other": "alarm", "same_address_s": 1200, "ask_same_address_s": 2700},
    {"one": "alarm", "other": "fire", "same_address_s": 1200, "one_road_s": 600, "one_road_m": 300}
    | {"nearby_s": 300, "nearby_m": 200, "ask_same_address_s": 2700},
    {"one": "alarm", "other": "gas", "same_address_s": 1200, "ask_same_address_s": 2700},
    {"one": "alarm", "other": "injury", "counts_people": True, "same_address_s": 600, "ask_same_address_s": 900},
    {"one": "alarm", "other": "illness", "counts_people": True, "same_address_s": 300, "ask_same_address_s": 900},
    {"one": "fire", "other": "gas", "same_address_s": 1200, "one_road_s": 600, "one_road_m": 300}
    | {"ask_same_address_s": 2700},
    {"one": "gas", "other": "gas", "same_address_s": 1500, "one_road_s": 900, "one_road_m": 400}
    | {"nearby_s": 600, "nearby_m": 400, "ask_same_address_s": 2700},
    {"one": "fire", "other": "injury", "counts_people": True, "same_address_s": 900, "ask_same_address_s": 900},
    {"one": "fire", "other": "illness", "counts_people": True, "same_address_s": 600, "ask_same_address_s": 900},
    {"one": "gas", "other": "injury", "same_address_s": 1200},
    {"one": "gas", "other": "illness", "same_address_s": 1200},
    {"one": "violence", "other": "violence", "same_address_s": 1200, "one_road_s": 300, "one_road_m": 200}
    | {"ask_same_address_s": 2700},
    {"one": "violence", "other": "injury", "same_address_s": 900, "ask_same_address_s": 1200},
    {"one": "violence", "other": "illness", "ask_same_address_s": 600},
    *(
        {"one": one, "other": other, "same_kind_only": True, "counts_people": True, "same_address_s": 900}
        | {"one_road_s": 120, "one_road_m": 200, "ask_same_address_s": 1200}
        for one, other in (("injury", "injury"), ("illness", "illness"))
    ),
    *(
        {"one": one, "other": other, "counts_people": True, "same_address_s": 240, "ask_same_address_s": 480}
        for one, other in (("injury", "injury"), ("illness", "illness"), ("injury", "illness"))
    ),
)


def merging_of(kinds: Iterable[str]) -> dict[str, Any]:
    """`merging` of the policy for these kinds."""
    known = sorted(kinds)
    found = {name: [kind for kind in known if kind.partition(".")[2] in whats] for name, whats in FAMILIES.items()} | {
        "illness": [kind for kind in known if kind == ILLNESS]
    }
    families = {name: listed for name, listed in found.items() if listed}
    pairings = [
        {"name": f"{one['one']}_{one['other']}" + ("_same_kind" if one.get("same_kind_only") else ""), **one}
        | {"basis": D}
        for one in PAIRINGS
        if {one["one"], one["other"]} <= families.keys()
    ]
    return {
        "families": [{"name": name, "kinds": listed} for name, listed in families.items()],
        "pairings": pairings,
        "trusted_accuracy_m": 200,
        "busy_address_count": 3,
        "busy_address_s": 120,
        "border_m": 500,
        "basis": "[D] chosen on the tuning half of labelled pairs: docs/merging.md",
    }
