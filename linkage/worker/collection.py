"""How often Python looks for garbage in cycles.

A hub's state is hundreds of thousands of small objects without a cycle among them, and a step makes a few hundred more.
At the interpreter's own threshold (700 new objects) looking through them all is a fifth of a worker's time.
"""

import gc

NEW_OBJECTS_LIMIT_COUNT = 150_000
"""So many more objects made than freed, then the youngest are looked through.

More than a worker's loops hold in flight with their lists full (some 60,000): what lives for one list only is never
looked through, only what stays."""
YOUNG_ROUNDS_COUNT, OLD_ROUNDS_COUNT = 20, 50


def collect_rarely() -> None:
    """Leaves what is loaded by now out of every search, and makes the searches rare. For a process that decides."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS_LIMIT_COUNT, YOUNG_ROUNDS_COUNT, OLD_ROUNDS_COUNT)
