"""What the journal alone can tell: reports on incidents, deciding again, the audit; from a file or from the cluster.

- `journal.py` one record of the journal, and the file that `linkage journal export` writes
- `cluster.py` the same records, read from the cluster to the end asked for at the start
- `verify.py` decides every journaled record again and compares
- `audit/` what must always hold, one small check for each promise
- `chronicle.py` the facts of one incident, from every hub that has any
- `report.py`, `incident.py`, `departments.py`, `teams.py` what they come to; `listing.py` all incidents in short
- `labels.py`, `words.py`, `tables.py` how a person reads it

Everything takes an iterable of journal records and reads it once, partition by partition; nothing here knows a clock.
"""
