"""Reference data: a county as files that a person edits, checked, and published as events to its hubs."""

from linkage.county.loader import (
    SAMPLE_FOLDER,
    County,
    LoadEvent,
    check_county,
    events_to_load,
    load_county,
    read_county,
    sample_county,
)
from linkage.county.policy import scaled
from linkage.county.problems import CountyProblems, Problem

__all__ = [
    "SAMPLE_FOLDER",
    "County",
    "CountyProblems",
    "LoadEvent",
    "Problem",
    "check_county",
    "events_to_load",
    "load_county",
    "read_county",
    "sample_county",
    "scaled",
]
