"""A failing plan, made smaller: fewer faults, fewer reports, fewer workers, as long as it still fails."""

from collections.abc import Callable, Sequence

from linkage.simulation.plans import Plan

Fails = Callable[[Plan], bool]
TRIES_LIMIT_COUNT = 200
"""So many runs at most; the smallest plan found by then is it."""


def shrunk(plan: Plan, fails: Fails, tries_limit: int = TRIES_LIMIT_COUNT) -> Plan:
    """The smallest plan found that still fails. `plan` itself must fail; when it does not, it comes back unchanged."""
    tries = _Tries(fails, tries_limit)
    smaller = plan
    for workers in range(1, plan.workers):
        if tries.still_fails(candidate := plan.only(plan.reports, plan.fault_numbers, workers)):
            smaller = candidate
            break
    while True:
        before = (smaller.reports, smaller.fault_numbers)
        faults = _fewer(smaller.fault_numbers, _with_faults(smaller), tries)
        smaller = smaller.only(smaller.reports, faults)
        reports = _fewer(smaller.reports, _with_reports(smaller), tries)
        smaller = smaller.only(reports, smaller.fault_numbers)
        if before == (smaller.reports, smaller.fault_numbers) or tries.left <= 0:
            return smaller


def _with_faults(plan: Plan) -> Callable[[Sequence[int]], Plan]:
    return lambda kept: plan.only(plan.reports, kept)


def _with_reports(plan: Plan) -> Callable[[Sequence[int]], Plan]:
    return lambda kept: plan.only(kept, plan.fault_numbers)


class _Tries:
    """Counts the runs."""

    def __init__(self, fails: Fails, limit: int) -> None:
        self.left = limit
        self._fails = fails

    def still_fails(self, plan: Plan) -> bool:
        if self.left <= 0:
            return False
        self.left -= 1
        return self._fails(plan)


def _fewer(numbers: Sequence[int], with_only: Callable[[Sequence[int]], Plan], tries: _Tries) -> tuple[int, ...]:
    """Leaves out halves, then quarters, then one at a time: whatever is not needed for the failure."""
    kept = list(numbers)
    size = len(kept)
    while size:
        at = 0
        while at < len(kept):
            left = kept[:at] + kept[at + size :]
            if tries.still_fails(with_only(left)):
                kept = left
            else:
                at += size
        size //= 2
    return tuple(kept)
