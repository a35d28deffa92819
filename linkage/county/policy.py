"""`policy.yaml` as the policy that travels, and a policy run faster for drills, demos and tests."""

from collections.abc import Iterable
from math import ceil

from linkage.county.check import candidates
from linkage.county.files import CriterionEntry, PolicyFile, TeamsEntry, WhistleEntry
from linkage.events.reference import (
    KindRule,
    LevelCriterion,
    LevelRule,
    Limit,
    OrderLimits,
    Policy,
    TeamRule,
    WhistleRule,
    WhistleSlot,
)


def policy_of(file: PolicyFile, version: str) -> Policy:
    """The policy of a checked file."""
    return Policy(
        version=version,
        kinds=tuple(KindRule(key=key, label_en=kind.en, label_zh=kind.zh) for key, kind in file.kinds.keys.items()),
        levels=tuple(_level_rule(kind, criteria) for kind, criteria in file.levels.items()),
        whistles=tuple(_whistle_rule(kind, rule) for kind, rule in file.whistles.items()),
        teams=tuple(_team_rule(kind, rule) for kind, rule in file.teams.items()),
        escalation=file.escalation.ladder,
        limits=file.limits,
        team_retries=file.team_retries.times,
        merging=file.merging,
    )


def _level_rule(kind: str, criteria: Iterable[CriterionEntry]) -> LevelRule:
    return LevelRule(
        kind=kind,
        criteria=tuple(
            LevelCriterion(count=one.count, level_i=one.i, level_ii=one.ii, level_iii=one.iii, basis=one.basis)
            for one in criteria
        ),
    )


def _whistle_rule(kind: str, rule: WhistleEntry) -> WhistleRule:
    slots = tuple(
        WhistleSlot(role="lead" if slot.lead else "assist", relation=slot.relation, candidates=candidates(slot))
        for slot in rule.slots
    )
    return WhistleRule(kind=kind, slots=slots, basis=rule.basis)


def _team_rule(kind: str, rule: TeamsEntry) -> TeamRule:
    return TeamRule(
        kind=kind,
        skill=rule.skill,
        needed_i=rule.i,
        needed_ii=rule.ii,
        needed_iii=rule.iii,
        needed_iv=rule.iv,
        basis=rule.basis,
    )


def scaled(policy: Policy, factor: float) -> Policy:
    """The same policy with every span in which somebody must answer divided by `factor`, at least 1 s each.

    What compares times (merge_window) or keeps memories is left as it is. The version and each basis say what was
    done. Raises ValueError unless factor > 0.
    """
    if not factor > 0:
        raise ValueError(f"factor is {factor}; it must be more than 0")

    def faster(limit: Limit) -> Limit:
        note = f" [run {factor:g} times faster than {limit.seconds} s]"
        return Limit(seconds=max(1, ceil(limit.seconds / factor)), basis=limit.basis[: 2000 - len(note)] + note)

    def faster_orders(limits: OrderLimits) -> OrderLimits:
        return OrderLimits(
            receive=faster(limits.receive),
            accept=faster(limits.accept),
            en_route=faster(limits.en_route),
            report_in=faster(limits.report_in),
            done=faster(limits.done),
        )

    known = policy.limits
    limits = known.model_copy(
        update={
            "department": faster_orders(known.department),
            "team": faster_orders(known.team),
            "stand_down": faster(known.stand_down),
            "escalation_step": faster(known.escalation_step),
            "county_answer": faster(known.county_answer),
            "team_retry": faster(known.team_retry),
            "place_report": faster(known.place_report),
        }
    )
    return policy.model_copy(update={"version": f"{policy.version}-x{factor:g}", "limits": limits})
