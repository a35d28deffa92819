"""`linkage demo`: the main job, on a real Kafka, with a worker killed in the middle.

- `deployment.py` a broker, the topics, two worker processes, the sample county
- `follower.py` the committed journal as it grows: what the screen shows, what the story waits for
- `players.py` the parties, answering through their own topics
- `story.py` what happens, step by step, and at which step a worker dies
- `outcome.py` what it came to, to compare runs by
- `run.py` all of it, and the report at the end

Everything that is waited for is a fact in the journal; the seed and the step of the kill change no order, no team and
no outcome.
"""
