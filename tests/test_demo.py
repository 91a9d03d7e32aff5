import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A short path, for a socket's must be short; not the shared /tmp, for it must be empty at the end."""
    with tempfile.TemporaryDirectory(prefix="demo") as folder:
        yield Path(folder)


def demo(scratch: Path, *flags: str, code: str = "") -> "subprocess.Popen[str]":
    hostile = {
        "TMPDIR": str(scratch),
        "HOME": str(scratch / "nowhere"),
        "AWS_PROFILE": "no-such-profile",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "HTTP_PROXY": "http://127.0.0.1:1",
        "http_proxy": "http://127.0.0.1:1",
        "WAZUH_HOME": "/nowhere",
    }
    command = [sys.executable, *(["-c", code] if code else ["-m", "awsflow"]), "demo", *flags]
    return subprocess.Popen(
        command,
        env=os.environ | hostile,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_the_demo_delivers_every_event_once_says_so_and_leaves_nothing_whatever_the_settings(
    scratch: Path,
) -> None:
    with demo(scratch) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert "12 objects read, 600 events sent" in out
    assert "0 objects read, 0 events sent" in out
    assert "All 600 events arrived, each once." in out
    assert '"eventName"' in out or '"eventVersion"' in out
    arrived = out.rpartition("Events that arrived, by source: ")[2]
    sources = {"alb", "cisco_umbrella", "cloudtrail_digest", "config", "s3_server_access", "vpc", "waf"}
    assert {f"{source} 50" for source in sources} <= set(" ".join(arrived.partition("Server, ")[0].split()).split(", "))
    assert len(out.splitlines()) < 65
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_that_is_broken_off_leaves_nothing(scratch: Path, number: signal.Signals) -> None:
    with demo(scratch) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("$ awsflow wodle"):
                break
        assert len(list(scratch.iterdir())) == 1
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (2, "")
    assert list(scratch.iterdir()) == []


def test_a_demo_whose_reader_has_gone_leaves_nothing_and_says_nothing(scratch: Path) -> None:
    with demo(scratch) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr is not None
        err = process.stderr.read()
    assert (process.returncode, err) == (141, "")
    assert list(scratch.iterdir()) == []


def test_without_moto_one_line_says_how_to_install_it(scratch: Path) -> None:
    code = "import sys; sys.modules['moto'] = None; from awsflow.cli import main; sys.exit(main())"
    with demo(scratch, code=code) as process:
        _, err = process.communicate(timeout=60)
    assert process.returncode == 10
    assert err.count("\n") == 1
    assert "pip install 'awsflow[demo]'" in err


def test_an_event_that_does_not_arrive_is_told_and_is_exit_code_1(scratch: Path) -> None:
    """The queue is read by somebody else for a moment: the demo must notice."""
    with demo(scratch) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if line.startswith("Wazuh's queue"):
                path = Path(line.rpartition(" ")[2].strip())
                path.unlink()
                subprocess.run([sys.executable, "-c", THIEF, str(path)], check=False, timeout=60)
        err = process.stderr.read() if process.stderr else ""
    assert process.returncode == 1, (said, err)
    assert "600 of 600 events did not arrive" in "".join(said)


THIEF = """
import socket, sys
queue = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
queue.bind(sys.argv[1])
for _ in range(600):
    queue.recv(1 << 17)
"""
