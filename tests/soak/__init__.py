"""Minutes of random faults and kills over all sources, with a ledger: `make soak`."""
