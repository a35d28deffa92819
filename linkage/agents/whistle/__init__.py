"""`whistle` 吹哨报到: which departments are whistled for, who has reported in, who is overdue, who is told about that.

The first assessment of an incident blows the whistle: each slot of the kind's rule is one seat with candidates in
order; a `notified` one is only told, and no clock runs. A department says received, accepted, on the way, reported in,
done, each by a deadline. Who declines is replaced by the slot's next candidate; who stays silent at the first deadline
is, too, but remains whistled for (silence is not absence). Every overdue answer is told to the department, the next
rung of the county's ladder and the post. Closing stands down whoever has not finished.
"""

from linkage.agents.whistle.decide import DECIDES
from linkage.agents.whistle.evolve import EVOLVES
from linkage.agents.whistle.state import INITIAL, Whistle, WhistleOrder

__all__ = ["DECIDES", "EVOLVES", "INITIAL", "Whistle", "WhistleOrder"]
