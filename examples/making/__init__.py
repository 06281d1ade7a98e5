"""What the data files are made from: places, practices, people and 60 scenarios. None of it exists."""
