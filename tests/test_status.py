"""`awsflow status`: each source's last run, lag, events, failures and backlog; as a table, as JSON, as a page."""

import json
import os
import stat
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow.cli.plots import HEIGHT, WIDTH, axis_of, bars, line
from awsflow.cli.status import as_lines
from awsflow.cli.status_page import page
from awsflow.cli.status_report import Source, sources_of
from awsflow.flow import Stats
from awsflow.state.history import HOURS, History, Past, Told
from tests.commands import awsflow
from tests.conftest import Aws
from tests.wazuh import Wazuh

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEY = "AWSLogs/123456789012/CloudTrail/eu-west-1/2026/11/23/x.json"


def keep(
    path: Path, when: datetime, source: str = "a", exit_code: int | None = 0, error: str = "", **more: Any
) -> None:
    stats = Stats(sent=more.pop("sent", 0), failed=more.pop("failed", 0))
    with History(path, now=lambda: when) as history:
        history.add(Told(source, when.timestamp() - 3, stats, Stats(), exit_code, error, **more))


def lines(path: Path) -> list[str]:
    return as_lines(sources_of(path, NOON))


def test_the_table_tells_of_each_source_how_it_is_and_why(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    five_ago = NOON - timedelta(minutes=5)
    keep(path, NOON - timedelta(days=2), "good", sent=100_000, failed=7)
    keep(path, five_ago, "good", sent=1234, lag=45.0, newest_event=five_ago.timestamp() - 45, backlog=2)
    keep(path, NOON - timedelta(hours=3), "bad", exit_code=7, error="listing s3://x/: denied; allow it", failed=3)
    keep(path, NOON - timedelta(seconds=20), "busy", exit_code=None)
    keep(path, NOON - timedelta(hours=1), "killed", exit_code=None)
    keep(path, NOON - timedelta(hours=1), "ended", exit_code=143)
    assert [" ".join(line.split()) for line in lines(path)] == [
        "SOURCE LAST RUN NEWEST EVENT NEWEST OBJECT LAG EVENTS/24 H FAILURES/24 H BACKLOG",
        "bad error 7, 3 h ago - - - 0 3 -",
        "listing s3://x/: denied; allow it",
        "busy runs now, 20 s ago - - - 0 0 -",
        "ended stopped, 1 h ago - - - 0 0 -",
        "good ok, 5 min ago 5 min ago - 45 s 1,234 0 2",
        "killed no end told, 1 h ago - - - 0 0 -",
        "it has not told of itself since, nor of an end: it hangs, or was killed",
    ]


def test_a_run_of_the_command_is_told_of_with_its_newest_event_and_object(aws: Aws, tmp_path: Path) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="trail")
    s3.put_object(Bucket="trail", Key=KEY, Body=b'{"Records": [{"eventTime": "2026-11-23T12:00:00Z"}]}')
    command = ("bucket", "trail", "--after", "2026-11-23", "--endpoint-url", aws.url)
    assert awsflow(*command, home=tmp_path).returncode == 0
    ended = awsflow("status", "--json", home=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, b"")
    (source,) = json.loads(ended.stdout)["sources"]
    assert (source["source"], source["condition"], source["backlog"]) == ("cloudtrail s3://trail/", "ok", 0)
    assert source["newest_event"] == "2026-11-23T12:00:00Z"
    written = s3.head_object(Bucket="trail", Key=KEY)["LastModified"]
    assert source["newest_object"] == f"{written:%Y-%m-%dT%H:%M:%SZ}"
    assert source["last_24_hours"] == {"events": 1, "failures": 0}
    assert source["last_run"]["exit_code"] == 0
    assert [hour["sent"] for hour in source["hours"]] == [1]


def test_what_wazuh_s_scheduler_ran_is_found_in_its_home_with_the_error_of_a_run_that_broke(
    aws: Aws, tmp_path: Path
) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="trail")
    s3.put_object(Bucket="trail", Key=KEY, Body=b'{"Records": [{}]}')
    with Wazuh(tmp_path / "ossec") as wazuh:
        command = ("wodle", "-b", "trail", "-s", "2026-NOV-23", "--service_endpoint", aws.url)
        home = {"WAZUH_HOME": str(wazuh.home)}
        assert awsflow(*command, home=tmp_path, env=home).returncode == 0
        s3.put_object(Bucket="trail", Key=KEY.replace("x", "y"), Body=b'{"Records": [oh')
        assert awsflow(*command, home=tmp_path, env=home).returncode == 9
    given: list[tuple[list[str | Path], dict[str, str]]] = [(["--wazuh-home", wazuh.home], {}), ([], home)]
    for arguments, env in given:
        ended = awsflow("status", *arguments, home=tmp_path, env=env)
        _, row, error = ended.stdout.decode().splitlines()
        assert row.startswith("cloudtrail s3://trail/  error 9, ")
        assert row.endswith("1")
        assert "y.json" in error


def test_the_states_of_the_user_and_of_wazuh_are_both_told_of(tmp_path: Path) -> None:
    for path in (tmp_path / ".local/state/awsflow/awsflow.db", tmp_path / "ossec/wodles/aws/awsflow.db"):
        keep(path, datetime.now(UTC), path.parts[-2])
    ended = awsflow("status", "--json", home=tmp_path, env={"WAZUH_HOME": str(tmp_path / "ossec")})
    assert [source["source"] for source in json.loads(ended.stdout)["sources"]] == ["awsflow", "aws"]
    told = awsflow("status", home=tmp_path, env={"WAZUH_HOME": str(tmp_path / "ossec")}).stdout.decode()
    assert f"in {tmp_path}/.local/state/awsflow/awsflow.db:\nawsflow " in told
    assert f"in {tmp_path}/ossec/wodles/aws/awsflow.db:\naws " in told


def test_where_there_is_no_state_the_places_are_named_and_none_is_made(tmp_path: Path) -> None:
    ended = awsflow("status", home=tmp_path, env={"WAZUH_HOME": str(tmp_path / "ossec")})
    assert ended.returncode == 5
    told = ended.stderr.decode()
    assert f"{tmp_path}/.local/state/awsflow/awsflow.db or {tmp_path}/ossec/wodles/aws/awsflow.db" in told
    assert list(tmp_path.iterdir()) == []


def test_the_page_is_its_owner_s_and_keeps_the_permissions_that_it_was_given(tmp_path: Path) -> None:
    keep(tmp_path / "s.db", datetime.now(UTC))
    command = ("status", "--state", tmp_path / "s.db", "--html", tmp_path / "x.html")
    assert (awsflow(*command, home=tmp_path).stdout, (tmp_path / "x.html").stat().st_mode & 0o777) == (b"", 0o600)
    (tmp_path / "x.html").chmod(0o644)
    awsflow(*command, home=tmp_path)
    assert stat.S_IMODE((tmp_path / "x.html").stat().st_mode) == 0o644
    ended = awsflow("status", "--state", tmp_path / "s.db", "--html", tmp_path / "no" / "x.html", home=tmp_path)
    assert (ended.returncode, b"writing the page" in ended.stderr) == (1, True)


class Page(HTMLParser):
    """What a page holds: balanced tags, texts, and whatever it would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.loads: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.svgs: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in ("meta", "link", "img"):
            self.open.append(tag)
        self.loads += [f"{tag} {name}" for name in given if name in ("src", "srcset", "data", "action")]
        self.loads += [tag] if tag in ("link", "script", "iframe", "object", "img") else []
        self.loads += [name for name in given if name.startswith("on")]
        self.ids += [given["id"] or ""] if "id" in given else []
        self.links += [given["href"] or ""] if "href" in given else []
        self.svgs += [given["aria-label"] or ""] if tag == "svg" else []

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """It is closed at once."""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_page_loads_nothing_is_well_formed_and_has_three_plots_for_each_source(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    for hours in range(0, HOURS, 7):
        keep(path, NOON - timedelta(hours=hours), "a", sent=hours, failed=hours % 2, lag=float(hours))
    keep(path, NOON, "b", exit_code=7, error="listing: denied")
    text = page(sources_of(path, NOON), NOON)
    shown = Page(text)
    assert (shown.open, shown.loads) == ([], [])
    assert "url(" not in text
    assert "http" not in text.replace("http-equiv", "")
    assert shown.links == ["#source-0", "#source-1"]
    assert {"source-0", "source-1"} <= set(shown.ids)
    assert len(set(shown.ids)) == len(shown.ids)
    assert len(shown.svgs) == 6
    assert shown.svgs[0].startswith("Events per day: 36,")
    assert shown.svgs[3:] == [
        "Events per day: none",
        "Lag: not known",
        "Failures per day: none; 1 broken runs",
    ]
    assert "listing: denied" in shown.texts
    assert "prefers-color-scheme: dark" in text


@settings(deadline=None)
@given(name=st.text(min_size=1, max_size=60), error=st.text(max_size=60))
def test_nothing_that_a_source_is_called_or_tells_gets_into_the_page_as_markup(name: str, error: str) -> None:
    figures: dict[str, Any] = dict.fromkeys(Past._fields, 0)
    figures |= {"name": f"<script>{name}", "exit_code": 7, "error": f"<img src=x onerror=1>{error}"}
    shown = Page(page([Source(Path("s.db"), Past(**figures), (), NOON.timestamp())], NOON))
    assert (shown.open, shown.loads) == ([], [])


def test_a_page_without_any_source_says_so(tmp_path: Path) -> None:
    History(tmp_path / "s.db").close()
    assert "No source has run yet." in Page(page(sources_of(tmp_path / "s.db", NOON), NOON)).texts
    assert lines(tmp_path / "s.db") == ["no source has run yet"]


@given(first=st.integers(0, 900), last=st.integers(400_000, 500_000))
def test_an_axis_holds_all_its_hours_in_sixty_pieces_or_less(first: int, last: int) -> None:
    axis = axis_of(last - first, last)
    assert axis.begin <= (last - first) * 3600
    assert axis.begin % (axis.hours * 3600) == 0
    assert axis.end > last * 3600
    assert axis.count <= 60
    assert axis.piece(last) == axis.count - 1


@given(st.lists(st.integers(0, 10**12), min_size=24, max_size=24))
def test_bars_stay_within_their_plot(values: list[int]) -> None:
    drawn = bars("Events", values, axis_of(500_000, 500_000), kind="events")
    heights = [float(part.split('"')[0]) for part in drawn.split('height="')[1:]]
    tops = [
        float(part.split('"')[0])
        for part in drawn.split('<rect class="events" ')[1:]
        for part in [part.split('y="')[1]]
    ]
    assert len(heights) == len(tops) == sum(value > 0 for value in values)
    assert all(0 < height <= HEIGHT and top > 0 for height, top in zip(heights, tops, strict=True))
    assert f"{sum(values):,} in all" in drawn or not any(values)


@given(st.lists(st.none() | st.floats(0, 10**8), min_size=24, max_size=24))
def test_a_line_stays_within_its_plot_and_breaks_where_nothing_is_known(values: list[float | None]) -> None:
    drawn = line("Lag", values, axis_of(500_000, 500_000), kind="lag")
    at = [part.split('"')[:3] for part in drawn.split('cx="')[1:]]
    assert len(at) == sum(value is not None for value in values)
    assert all(0 < float(x) < WIDTH and 0 < float(y) < HEIGHT for x, _, y in at)
    runs = sum(value is not None and (number == 0 or values[number - 1] is None) for number, value in enumerate(values))
    path = drawn.partition('<path class="lag" d="')[2].partition('"')[0]
    assert path.count("M") == runs


def test_sources_of_a_state_are_read_without_changing_it(tmp_path: Path) -> None:
    keep(tmp_path / "s.db", NOON)
    before = os.stat(tmp_path / "s.db").st_mtime_ns
    assert [type(source) for source in sources_of(tmp_path / "s.db", NOON)] == [Source]
    assert os.stat(tmp_path / "s.db").st_mtime_ns == before
