"""What the demo prints: what happens outside, each fact as it is committed, and what was broken on purpose."""

from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Console

from linkage.events.envelope import JournalRecord
from linkage.replay.labels import Labels
from linkage.replay.words import STAGE_ZH, in_words

QUIET = {
    "linkage.DeadlineSet.v0",
    "linkage.DeadlineEnded.v0",
    "linkage.MessageRecorded.v0",
    "linkage.ReferenceAdopted.v0",
}
"""Facts that say nothing by themselves on a screen."""


@dataclass
class Screen:
    """Lines on standard output. Plain, so that it reads the same in a log."""

    console: Console
    zone: ZoneInfo
    labels: Labels = field(default_factory=Labels)

    def tell(self, text: str) -> None:
        self.console.print(f"[bold]>>[/bold] {text}", highlight=False)

    def alarm(self, text: str) -> None:
        self.console.print(f"[bold red]!! {text}[/bold red]", highlight=False)

    def heading(self, text: str, detail: str) -> None:
        self.console.print()
        self.console.rule(f"{text}: {detail}", align="left", style="dim")

    def show(self, record: JournalRecord) -> None:
        """The facts of one step, one line each."""
        self.labels.take(record)
        at = self._at(record.now)
        for staged in record.facts:
            if staged.fact.type not in QUIET:
                stage = f"{STAGE_ZH[staged.stage]} {staged.stage}"
                self.console.print(
                    f"{at}  {stage:<20} {in_words(staged.fact, self.labels)}", highlight=False, markup=False
                )

    def _at(self, instant: datetime) -> str:
        return f"{instant.astimezone(self.zone):%H:%M:%S}"
