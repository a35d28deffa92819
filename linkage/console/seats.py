"""Seats that nobody fills: the engine has no candidate left, a person must find one."""

from collections.abc import Iterator
from typing import assert_never

from linkage.agents.dispatch.state import TeamOrder
from linkage.agents.whistle import WhistleOrder
from linkage.console import typed
from linkage.console.notes import Dated, Exhausted
from linkage.console.rows import Wait
from linkage.console.scene import Scene
from linkage.events.dispatch import TeamsExhausted
from linkage.events.inbound import Answer
from linkage.events.whistle import DepartmentsExhausted
from linkage.narration import ROLE_ZH

Order = WhistleOrder | TeamOrder


def seat_waits(scene: Scene) -> Iterator[Wait]:
    """One for each seat whose candidates are used up and that nobody has taken since."""
    for _, noted in sorted(scene.home.notes.seats.items(), key=lambda item: item[0]):
        orders = _orders_of(scene, noted.fact)
        if not any(_is_coming(order) for order in orders) and not _county_sends(scene, noted.fact):
            yield _wait(scene, noted, orders)


def _orders_of(scene: Scene, fact: Exhausted) -> list[Order]:
    """Every order of the seat, in the order of its attempts."""
    state: dict[str, Order] = {}
    match fact:
        case DepartmentsExhausted():
            whistled = scene.home.whistle.incidents.get(fact.incident_id)
            state = {one: scene.home.whistle.orders[one] for one in (whistled.orders if whistled else ())}
        case TeamsExhausted():
            need = scene.home.dispatch.incidents.get(fact.incident_id)
            state = {one: scene.home.dispatch.orders[one] for one in (need.orders if need else ())}
        case _:
            assert_never(fact)
    return sorted((one for one in state.values() if one.slot == fact.slot), key=lambda one: one.attempt)


def _is_coming(order: Order) -> bool:
    is_over = order.is_over if isinstance(order, WhistleOrder) else order.is_standing_down or order.is_released
    return order.said not in (None, Answer.DECLINED) and not is_over


def _county_sends(scene: Scene, fact: Exhausted) -> bool:
    need = scene.home.dispatch.incidents.get(fact.incident_id)
    if isinstance(fact, DepartmentsExhausted) or need is None:
        return False
    requests = [scene.home.dispatch.requests[one] for one in need.requests]
    return any(one.slot == fact.slot and one.order_id is not None and not one.is_over for one in requests)


def _wait(scene: Scene, noted: Dated, orders: list[Order]) -> Wait:
    """A silent candidate may still be heard by telephone; else who was asked is all there is to look at."""
    fact: Exhausted = noted.fact
    silent = next((one for one in reversed(orders) if one.said is None), None)
    command = (
        typed.record_answer(scene.post, silent.order_id, silent.party)
        if silent is not None
        else typed.look_up(fact.incident_id)
    )
    subject = f"{fact.incident_id}/{fact.slot}"
    match fact:
        case DepartmentsExhausted():
            kind, kind_zh, text = "no_department", "无单位", _no_department(scene, fact)
        case TeamsExhausted():
            kind, kind_zh, text = "no_team", "无队伍", f"nobody fills team seat {fact.slot + 1}: {fact.reason}"
        case _:
            assert_never(fact)
    telephone = f". Telephone {_name(scene, silent)}" if silent is not None else ". Find one by telephone"
    return Wait(kind, kind_zh, noted.at, subject, fact.incident_id, text + telephone, command, 2)


def _no_department(scene: Scene, fact: DepartmentsExhausted) -> str:
    blown = scene.home.whistle.incidents.get(fact.incident_id)
    role = blown.slots[fact.slot].role if blown else None
    named = f" ({role} {ROLE_ZH[role]})" if role else ""
    tried = ", ".join(scene.labels.party(one).both for one in fact.tried)
    return f"nobody fills department seat {fact.slot + 1}{named}: {tried}, the last {fact.because}"


def _name(scene: Scene, order: Order) -> str:
    if isinstance(order, WhistleOrder):
        return scene.labels.party(order.party).both
    return scene.labels.team(order.team).both
