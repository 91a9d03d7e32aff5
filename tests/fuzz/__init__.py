"""Coverage-guided fuzzing of everything that reads what strangers may have written: `make fuzz`."""
