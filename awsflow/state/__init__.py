"""The state of an installation, in SQLite: how far each object was delivered, and what could not be read."""
