"""The board of one command post: pure, from folded hubs and their notes. The same scene and instant, the same board."""

from dataclasses import dataclass

from linkage.console.incidents import coming_back, open_incidents
from linkage.console.notes import LastFact
from linkage.console.overdue import overdue
from linkage.console.rows import ComingBack, Header, IncidentRow, OverdueRow, Said, Wait
from linkage.console.scene import Scene
from linkage.console.waits import waits
from linkage.replay.words import STAGE_ZH, in_words


@dataclass(frozen=True, slots=True)
class Board:
    """Everything is sorted: waits by what presses most, incidents oldest first, the last facts newest first."""

    header: Header
    waits: tuple[Wait, ...]
    incidents: tuple[IncidentRow, ...]
    coming_back: tuple[ComingBack, ...]
    overdue: tuple[OverdueRow, ...]
    last: tuple[Said, ...]


def board_of(scene: Scene, header: Header) -> Board:
    """The board as of `header.at`, which decides what is no longer recent."""
    return Board(
        header=header,
        waits=waits(scene, header.at),
        incidents=open_incidents(scene),
        coming_back=coming_back(scene),
        overdue=overdue(scene),
        last=tuple(_said(scene, one) for one in reversed(scene.home.notes.last)),
    )


def _said(scene: Scene, one: LastFact) -> Said:
    fact = one.staged.fact
    return Said(
        at=one.at,
        stage=one.staged.stage,
        stage_zh=STAGE_ZH[one.staged.stage],
        incident_id=getattr(fact, "incident_id", None),
        words=in_words(fact, scene.labels),
    )
