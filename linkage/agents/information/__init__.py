"""`information` 信息交互: is this report new, or about an incident already open?

A report is about an open incident when it names the same place and kind and its event happened within the window of
the incident's last one; what a reporter says (`occurred_at`) is compared, never when we got it. A revision replaces an
earlier report of the same sender. A report without a certain township waits at the county's desk, by a deadline; it is
never refused for that. New danger where an incident was closed opens a new one that follows it.
"""

from linkage.agents.information.decide import DECIDES
from linkage.agents.information.evolve import EVOLVES
from linkage.agents.information.state import INITIAL, Incident, Information

__all__ = ["DECIDES", "EVOLVES", "INITIAL", "Incident", "Information"]
