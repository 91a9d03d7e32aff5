"""`python -m awsflow`: the command `awsflow`."""

from awsflow.cli import main

raise SystemExit(main())
