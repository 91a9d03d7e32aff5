"""Metrics in Prometheus' format: what the history knows of each source. Counters go on from run to run."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from prometheus_client import CollectorRegistry, generate_latest, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from awsflow.cli.replacing import replace_file
from awsflow.errors import ArgumentsError, AwsflowError
from awsflow.state.history import History, Past


class Family(NamedTuple):
    """A metric with one value for each source; None: it has none yet."""

    name: str
    help: str
    value: Callable[[Past], float | None]


COUNTERS = (
    Family("awsflow_events_read_total", "Events read.", lambda past: past.read),
    Family("awsflow_events_sent_total", "Events that the sink has taken.", lambda past: past.sent),
    Family("awsflow_events_discarded_total", "Events dropped by a discard rule.", lambda past: past.discarded),
    Family("awsflow_events_shrunk_total", "Events too large for a datagram, cut or filed.", lambda past: past.shrunk),
    Family("awsflow_failures_total", "Lines, rows and objects that could not be read.", lambda past: past.failed),
    Family("awsflow_objects_read_total", "Objects read to their end.", lambda past: past.objects),
    Family("awsflow_received_bytes_total", "Bytes fetched, as they lie in the store.", lambda past: past.bytes_in),
    Family("awsflow_sent_bytes_total", "Bytes of encoded events sent.", lambda past: past.bytes_out),
    Family("awsflow_run_seconds_total", "Seconds that runs took.", lambda past: past.seconds),
)
GAUGES = (
    Family(
        "awsflow_last_run_timestamp_seconds",
        "When the last run ended or, while it goes on, told of itself.",
        lambda past: past.told,
    ),
    Family("awsflow_last_success_timestamp_seconds", "When a run ended last without error.", lambda past: past.well),
    Family(
        "awsflow_last_run_exit_code",
        "Exit code of the last run that ended; absent while one goes on.",
        lambda past: past.exit_code,
    ),
    Family("awsflow_last_run_failed", "1 if an error has ended the last run.", lambda past: float(bool(past.error))),
    Family("awsflow_last_run_events", "Events sent by the last run.", lambda past: past.last_sent),
    Family("awsflow_last_run_failures", "Failures of the last run.", lambda past: past.last_failed),
    Family(
        "awsflow_newest_event_timestamp_seconds",
        "Time of the newest event that was delivered.",
        lambda past: past.newest_event,
    ),
    Family(
        "awsflow_newest_object_timestamp_seconds",
        "When the newest object that was delivered had been written.",
        lambda past: past.newest_object,
    ),
    Family(
        "awsflow_lag_seconds",
        "Age of the newest event when it was delivered; of the newest object where events tell no time.",
        lambda past: past.lag,
    ),
    Family(
        "awsflow_backlog",
        "Objects found and not delivered, or messages that wait in the queue, when that was last known.",
        lambda past: past.backlog,
    ),
)
RUNS = "awsflow_runs_total"
BUILD = "awsflow_build"
READABLE = "awsflow_state_readable"


class Figures(Collector):
    """The metrics of all sources of a state, read anew each time."""

    def __init__(self, state: Path) -> None:
        self._state = state

    def collect(self) -> Generator[Metric, None, None]:
        """One family after the other."""
        yield InfoMetricFamily(BUILD, "The version of awsflow.", {"version": version("awsflow")})
        sources: Sequence[Past] = ()
        readable = True
        try:
            if self._state.exists():
                with History(self._state) as history:
                    sources = history.sources()
        except AwsflowError:
            readable = False
        yield GaugeMetricFamily(READABLE, "0 if the state cannot be read, which has all the others.", int(readable))
        runs = CounterMetricFamily(RUNS, "Runs that have ended, by how.", labels=("source", "outcome"))
        for past in sources:
            runs.add_metric((past.name, "ok"), past.runs - past.broken)
            runs.add_metric((past.name, "error"), past.broken)
        yield runs
        for families, kind in ((COUNTERS, CounterMetricFamily), (GAUGES, GaugeMetricFamily)):
            for family in families:
                metric = kind(family.name, family.help, labels=("source",))
                for past in sources:
                    if (value := family.value(past)) is not None:
                        metric.add_metric((past.name,), value)
                yield metric


def write_metrics(state: Path, path: Path) -> None:
    """Write the metrics of all sources to a file, in one step, readable for all: node_exporter is another user."""
    replace_file(path, generate_latest(_registry(state)), "the metrics", mode=0o644)


@contextmanager
def serving(state: Path, address: tuple[str, int]) -> Iterator[int]:
    """Answer Prometheus' questions meanwhile, at this host and port; yields the port."""
    host, port = address
    try:
        server, thread = start_http_server(port, host, _registry(state))
    except OSError as error:
        raise ArgumentsError(
            f"serving metrics at {host}:{port}: {error.strerror or error}; give another [HOST:]PORT to --metrics-port"
        ) from None
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _registry(state: Path) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(Figures(state))
    return registry
