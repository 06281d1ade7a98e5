"""What careroute costs, each figure beside its limit in the same run: `make bench`. None of it is a test."""
