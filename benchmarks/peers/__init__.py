"""The same work as careroute's four services, in what a team would otherwise write: see `../peer.md`."""
