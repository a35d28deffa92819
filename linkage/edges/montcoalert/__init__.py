"""911 calls as montcoalert publishes them (CSV), made into a county's folder and its reports.

rows.py       the file, row by row, and what each cell says
survey.py     first reading: the townships, where they lie, the stations and where they go
folder.py     the survey as a county's folder: files a person can edit
policy.py     its policy: kinds from the calls' titles
words.py      the titles in Chinese
reports.py    second reading: one report for each row
importing.py  both readings: `import_calls`
"""

from linkage.edges.montcoalert.importing import ImportSummary, import_calls
from linkage.edges.montcoalert.rows import SOURCE, NotMontcoalert

__all__ = ["SOURCE", "ImportSummary", "NotMontcoalert", "import_calls"]
