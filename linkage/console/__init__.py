"""What a command post sees at one glance: what waits for a person, what is open, who is late, what happened last.

- `notes.py` what a hub's facts say beside its state: who was told of what is late, what was refused, the last facts
- `rows.py` the rows of a board, frozen; `typed.py` what to type next
- `board.py` the board of one post, pure, of a `scene.py`: its sections are `waits.py` with `seats.py`, `incidents.py`,
  `overdue.py`
- `gauges.py` how far inbox and ingress have come; `follow.py` the journal, folded and followed, on the Log port
- `render.py` the board for a terminal, laid out by `layout.py`; `entry.py` the board for machines

The engine's state decides nothing here and is decided by nothing here: a board only reads the committed journal.
"""
