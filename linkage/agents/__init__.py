"""The stages, in order of evaluation: read this top to bottom.

Each is a module of its own: its story, its state, what it decides on which event, how its facts change its state.
`decide(state, event, desk) -> facts` judges; `evolve(state, fact) -> state` never does. What one stage writes and
another reads is handed on inside the same step. A stage reads no other stage's state.

The stages of the design that are not listed yet (plans 预案启动, supplies 物资调用, duty 值守联动, aftermath 善后处置,
mutual_aid 相邻协同) have no rules yet.
"""

from dataclasses import dataclass
from typing import Any

from linkage.agents import assessment, dispatch, information, whistle
from linkage.agents.desk import Decides, Evolves
from linkage.events.envelope import StageName


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: its word, its Chinese label, its first state, what it listens to, and its own facts."""

    name: StageName
    label_zh: str
    initial: Any
    decides: Decides
    evolves: Evolves


STAGES: tuple[Stage, ...] = (
    Stage("information", "信息交互", information.INITIAL, information.DECIDES, information.EVOLVES),
    Stage("assessment", "会商研判", assessment.INITIAL, assessment.DECIDES, assessment.EVOLVES),
    Stage("whistle", "吹哨报到", whistle.INITIAL, whistle.DECIDES, whistle.EVOLVES),
    Stage("dispatch", "队伍调动", dispatch.INITIAL, dispatch.DECIDES, dispatch.EVOLVES),
)
