"""The tests. Their names are sentences; together they are the specification."""
