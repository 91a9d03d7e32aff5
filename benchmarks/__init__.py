"""What awsflow claims of its speed and memory, measured: `python -m benchmarks`, or `make bench`."""
