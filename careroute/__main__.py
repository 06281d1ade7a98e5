"""`python -m careroute`."""

from careroute.cli import main

main()
