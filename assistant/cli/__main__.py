"""`python -m assistant.cli`: the `imprint` command where no console script is installed."""

from assistant.cli.main import main

main()
