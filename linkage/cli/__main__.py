"""`python -m linkage.cli`: the same as `linkage`."""

from linkage.cli import main

main()
