"""Running awsflow's commands as their users do: real processes, with an environment that is ours."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}


def awsflow(
    *arguments: str | Path, home: Path, env: Mapping[str, str] | None = None, input_: bytes | None = None
) -> "subprocess.CompletedProcess[bytes]":
    """The command's end. `home` is the user's: state is kept below it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "XDG_", "WAZUH_"))}
    return subprocess.run(
        [sys.executable, "-m", "awsflow", *map(str, arguments)],
        env={**kept, **CREDENTIALS, "HOME": str(home), **(env or {})},
        capture_output=True,
        check=False,
        timeout=120,
        input=input_,
    )
