"""What a host needs before the services can start there: keys, databases, roles."""
