"""`awsflow replay`: files, folders and S3 URLs, as an analyst uses it."""

import gzip
import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.commands import CREDENTIALS, awsflow
from tests.conftest import Aws
from tests.wazuh import Wazuh

KEY = "AWSLogs/123456789012/CloudTrail/eu-west-1/2026/11/23/123456789012_CloudTrail_eu-west-1_20261123T0000Z_{}.json.gz"


def document(*ids: str) -> bytes:
    return gzip.compress(json.dumps({"Records": [{"eventID": id_, "eventName": f"Do{id_}"} for id_ in ids]}).encode())


def events(output: bytes) -> list[Any]:
    return [json.loads(line) for line in output.splitlines()]


def ids(output: bytes) -> list[str]:
    return [event["aws"]["eventID"] for event in events(output)]


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A folder with two log files, and one that is none."""
    for name, of_file in {"a": ("1", "2"), "b": ("3",)}.items():
        path = tmp_path / "logs" / KEY.format(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(document(*of_file))
    (tmp_path / "logs" / "README.txt").write_text("no log")
    return tmp_path / "logs"


def test_a_folder_becomes_a_line_for_each_event_in_the_order_of_its_files(logs: Path, tmp_path: Path) -> None:
    ended = awsflow("replay", logs, "--type", "cloudtrail", home=tmp_path)
    assert (ended.returncode, ended.stderr, ids(ended.stdout)) == (0, b"", ["1", "2", "3"])
    first = events(ended.stdout)[0]
    assert first["integration"] == "aws"
    assert first["aws"]["aws_account_id"] == "123456789012"
    assert first["aws"]["log_info"]["log_file"] == str(logs / KEY.format("a"))


def test_plain_events_come_without_the_envelope(logs: Path, tmp_path: Path) -> None:
    ended = awsflow("replay", logs, "--plain", home=tmp_path)
    assert events(ended.stdout)[0] == {"eventID": "1", "eventName": "Do1", "source": "cloudtrail"}


def test_a_file_that_is_named_itself_is_read_whatever_its_name(tmp_path: Path) -> None:
    file = tmp_path / "evidence.bin"
    file.write_bytes(gzip.decompress(document("1")))
    assert ids(awsflow("replay", file, home=tmp_path).stdout) == ["1"]


def test_nothing_is_remembered(logs: Path, tmp_path: Path) -> None:
    outputs = {awsflow("replay", logs, home=tmp_path).stdout for _ in range(2)}
    assert len(outputs) == 1
    assert not (tmp_path / ".local").exists()


def test_a_file_that_cannot_be_read_is_told_and_the_others_are_sent(logs: Path, tmp_path: Path) -> None:
    bad = logs / KEY.format("aa")
    bad.write_bytes(gzip.compress(b'{"Records": [{"eventID": "good"}, {"eventID": bad}]}'))
    ended = awsflow("replay", logs, home=tmp_path)
    assert (ended.returncode, ids(ended.stdout)) == (9, ["1", "2", "good", "3"])
    (told,) = ended.stderr.decode().splitlines()
    assert told.startswith(f"ERROR: {bad}, record 2: reading {bad}: ")
    assert "byte 46" in told
    bad.write_bytes(document("1")[:-9])
    assert awsflow("replay", logs, home=tmp_path).returncode == 8


def test_of_many_bad_lines_in_a_file_the_first_are_told_and_how_many_more_there_are(tmp_path: Path) -> None:
    row = "2 123456789012 eni-1 10.0.0.1 10.0.0.2 1 2 6 1 40 1622505433 1622505730 ACCEPT OK\n"
    (tmp_path / "flow.log").write_text(row + "bad row\n" * 100 + row)
    ended = awsflow("replay", tmp_path / "flow.log", "--type", "vpcflow", home=tmp_path)
    told = ended.stderr.decode().splitlines()
    assert (ended.returncode, len(ended.stdout.splitlines()), len(told)) == (9, 2, 4)
    assert [line.rpartition(", ")[0].partition(": line ")[2] for line in told[:3]] == [
        f"{number}: 2 columns" for number in (2, 3, 4)
    ]
    assert "97 more lines could not be read; is it of another --type?" in told[3]


def test_in_a_folder_of_several_types_only_those_of_the_type_are_read(logs: Path, tmp_path: Path) -> None:
    row = "2 123456789012 eni-1 10.0.0.1 10.0.0.2 1 2 6 1 40 1622505433 1622505730 ACCEPT OK\n"
    flow = logs / "AWSLogs/123456789012/vpcflowlogs/eu-west-1/2026/11/23/123456789012_vpcflowlogs_x_fl-1_x.log"
    flow.parent.mkdir(parents=True)
    flow.write_text(row)
    (logs / "README.txt").unlink()
    ended = awsflow("replay", logs, "--type", "vpcflow", home=tmp_path)
    assert (ended.returncode, ended.stderr, len(ended.stdout.splitlines())) == (0, b"", 1)


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    ended = awsflow("replay", tmp_path / "nothing", home=tmp_path)
    assert ended.returncode == 7
    assert b"/nothing" in ended.stderr
    empty = tmp_path / "empty"
    empty.mkdir()
    ended = awsflow("replay", empty, home=tmp_path)
    assert ended.returncode == 14
    assert f"{empty}: there are none of this type; check path and type" in ended.stderr.decode()


def test_objects_below_an_s3_url_are_sent(aws: Aws, tmp_path: Path) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="trail")
    for name in "ab":
        s3.put_object(Bucket="trail", Key=KEY.format(name), Body=document(name))
    s3.put_object(Bucket="trail", Key="other.txt", Body=b"no log")
    ended = awsflow("replay", "s3://trail/AWSLogs/", "--endpoint-url", aws.url, home=tmp_path)
    assert (ended.returncode, ended.stderr, ids(ended.stdout)) == (0, b"", ["a", "b"])
    whole_key = f"s3://trail/{KEY.format('b')}"
    assert ids(awsflow("replay", whole_key, "--endpoint-url", aws.url, home=tmp_path).stdout) == ["b"]
    ended = awsflow("replay", "s3://trail/nothing/", "--endpoint-url", aws.url, home=tmp_path)
    assert (ended.returncode, ended.stdout) == (14, b"")
    ended = awsflow("replay", "s3://trail/", str(tmp_path), "--endpoint-url", aws.url, home=tmp_path)
    assert ended.returncode == 2


def test_events_are_discarded_by_a_field(logs: Path, tmp_path: Path) -> None:
    assert ids(awsflow("replay", logs, "--discard", "eventName=Do[12]", home=tmp_path).stdout) == ["3"]
    ended = awsflow("replay", logs, "--discard", "eventName", home=tmp_path)
    assert ended.returncode == 2
    assert b"FIELD=REGEX" in ended.stderr


def test_events_go_to_wazuh_or_to_a_file_when_asked(logs: Path, tmp_path: Path) -> None:
    with Wazuh(tmp_path / "wazuh") as wazuh:
        ended = awsflow("replay", logs, "--to", f"wazuh:{wazuh.path}", home=tmp_path)
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")
        assert [event["aws"]["eventID"] for event in wazuh.events()] == ["1", "2", "3"]
    file = tmp_path / "events.ndjson"
    assert awsflow("replay", logs, "--to", f"file:{file}", home=tmp_path).returncode == 0
    assert ids(file.read_bytes()) == ["1", "2", "3"]
    assert file.stat().st_mode & 0o777 == 0o600
    assert awsflow("replay", logs, "--to", "nowhere", home=tmp_path).returncode == 2


def test_auto_tells_the_type_by_key_and_content(logs: Path, tmp_path: Path) -> None:
    ended = awsflow("replay", logs / KEY.format("a"), "--type", "auto", home=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, b"auto: objects read of each type: cloudtrail 1\n")
    assert ids(ended.stdout) == ["1", "2"]
    (tmp_path / "unknown").write_bytes(b"\x00\x01 no log at all")
    ended = awsflow("replay", tmp_path / "unknown", "--type", "auto", home=tmp_path)
    assert ended.returncode == 9
    assert b"its type cannot be told from its first bytes" in ended.stderr


def test_an_event_that_is_too_large_for_wazuh_is_sent_shrunk_and_told(tmp_path: Path) -> None:
    (tmp_path / "large.json").write_text(json.dumps({"Records": [{"eventID": "1", "filling": "x" * 100_000}]}))
    with Wazuh(tmp_path / "wazuh") as wazuh:
        command = (
            "replay",
            tmp_path / "large.json",
            "--to",
            f"wazuh:{wazuh.path}",
            "--stats-json",
            tmp_path / "s.json",
        )
        ended = awsflow(*command, home=tmp_path)
        (event,) = wazuh.events()
    assert ended.returncode == 0
    assert ended.stderr.decode().startswith(f"WARNING: {tmp_path}/large.json, record 1: ")
    assert event["aws"]["log_info"]["truncated"] == ["filling"]
    assert json.loads((tmp_path / "s.json").read_text())["shrunk"] == 1


def test_a_file_is_rotated_when_asked_for(logs: Path, tmp_path: Path) -> None:
    (logs / KEY.format("c")).write_bytes(document(*map(str, range(3000))))
    ended = awsflow("replay", logs, "--to", f"file:{tmp_path}/e.ndjson", "--rotate-at", "100000", home=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, b"")
    files = sorted(tmp_path.glob("e.ndjson*"))
    assert len(files) > 2
    assert sum(len(file.read_bytes().splitlines()) for file in files) == 3003


def test_a_type_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    ended = awsflow("replay", tmp_path, "--type", "cloudtrial", home=tmp_path)
    assert ended.returncode == 12
    assert b"'cloudtrial'; the types are: " in ended.stderr


def test_a_reader_that_stops_ends_it_quietly(logs: Path, tmp_path: Path) -> None:
    (logs / KEY.format("c")).write_bytes(document(*map(str, range(20_000))))
    command = [sys.executable, "-m", "awsflow", "replay", str(logs)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_on_a_terminal_there_is_progress_and_a_summary_and_none_when_quiet(logs: Path, tmp_path: Path) -> None:
    told = {}
    for flags in ((), ("--quiet",)):
        ours, its = pty.openpty()
        subprocess.run(
            [sys.executable, "-m", "awsflow", "replay", str(logs), *flags],
            stdout=subprocess.DEVNULL,
            stderr=its,
            env=os.environ | CREDENTIALS,
            check=True,
            timeout=60,
        )
        os.close(its)
        try:
            told[flags] = os.read(ours, 1 << 16).decode()
        except OSError:  # nothing was written, and nobody can any more
            told[flags] = ""
        os.close(ours)
    assert "3 events of 2 objects sent" in told[()]
    assert told[("--quiet",)] == ""


def test_the_summary_is_written_for_machines(logs: Path, tmp_path: Path) -> None:
    awsflow("replay", logs, "--stats-json", tmp_path / "stats.json", home=tmp_path)
    stats = json.loads((tmp_path / "stats.json").read_text())
    assert (stats["objects"], stats["read"], stats["sent"], stats["failed"]) == (2, 3, 3, 0)
