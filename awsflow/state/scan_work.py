"""Scan work: what a source of findings remembers between runs, and the commits that make it so."""

from collections.abc import Sequence

from awsflow.state.open_work import OpenWork
from awsflow.state.positions import ScanPosition
from awsflow.state.taking_over import OFFERED, WAZUHS_SCANS


class ScanWork(OpenWork):
    """All that one source of findings remembers; made by `Checkpoints.scan_work`, for one run at a time.

    That is one position for each service and region. Raises StateError.
    """

    def left(self, service: str, region: str) -> ScanPosition | None:
        """Where the findings of a service in a region were left; None: at no place yet.

        That is where Wazuh's module was, if we were not there yet and that was imported of late.
        """
        since = (self._began - OFFERED).toordinal()
        with self._database.reading() as connection:
            known = connection.execute(
                "SELECT done, until, token, marks FROM scans JOIN works ON work = id WHERE service = ? AND region = ? "
                "AND (id = ? OR name = ? AND begun >= ?) ORDER BY id = ? DESC",
                (service, region, self._id, WAZUHS_SCANS, since, self._id),
            ).fetchone()
        return ScanPosition(service, region, *known) if known else None

    def commit(self, positions: Sequence[ScanPosition]) -> None:
        """Remember these positions, reached in this order: all of them or, if StateError is raised, none."""
        latest = {(position.service, position.region): position for position in positions}
        if not latest:
            return
        with self._writing() as connection:
            connection.executemany(
                "REPLACE INTO scans (work, service, region, done, until, token, marks) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    (
                        self._id,
                        position.service,
                        position.region,
                        position.done,
                        position.until,
                        position.token,
                        position.marks,
                    )
                    for position in latest.values()
                ),
            )
