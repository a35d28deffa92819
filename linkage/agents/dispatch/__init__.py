"""`dispatch` 队伍调动: which teams go, who takes over when one declines or stays silent, who stands down.

An assessed incident needs so many teams; each is a slot with attempts. The nearest free team of the township with the
skill goes first. Who declines is free again and replaced; who stays silent is replaced but stays held, as unreachable,
until it answers: silence is not absence. When the township's own teams are used up, the county's hub is asked for one
of its own, orders it, and tells how it is doing. A team called back is held until it says that it is done. A team has
one holder, always: `Dispatch.holders` is the only place that says so.

- `state.py` what is known, and `evolve.py` how facts change it
- `choice.py` which team is next, and why
- `teams.py` orders to own teams: answers, silence, standing down
- `asking.py` a township's requests to the county
- `lending.py` the county's side of them
"""

from linkage.agents.desk import Decides
from linkage.agents.dispatch import asking, lending, teams
from linkage.agents.dispatch.evolve import EVOLVES
from linkage.agents.dispatch.state import INITIAL, Dispatch
from linkage.events.assessment import IncidentAssessed
from linkage.events.between_hubs import AnswerTeamRequest, ReleaseLentTeam, ReportLentTeam, RequestCountyTeam
from linkage.events.deadlines import AnswerUnknown, DeadlineDue
from linkage.events.dispatch import TeamReleased, TeamRequestUnmet
from linkage.events.inbound import AnswerOrder, RecordAnswer, WithdrawTeam
from linkage.events.information import IncidentClosed

DECIDES: Decides = {
    IncidentAssessed: teams.on_assessed,
    AnswerOrder: teams.on_answer,
    RecordAnswer: teams.on_answer,
    WithdrawTeam: teams.on_withdraw,
    DeadlineDue: teams.on_due,
    AnswerUnknown: teams.on_unknown,
    IncidentClosed: teams.on_closed,
    AnswerTeamRequest: asking.on_county_answer,
    ReportLentTeam: asking.on_lent_report,
    RequestCountyTeam: lending.on_request,
    ReleaseLentTeam: lending.on_release,
    TeamReleased: lending.on_settled,
    TeamRequestUnmet: lending.on_settled,
}

__all__ = ["DECIDES", "EVOLVES", "INITIAL", "Dispatch"]
