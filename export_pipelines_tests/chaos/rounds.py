"""A round: one seed's export, its workers killed as planned, the export run again, and everything checked."""

import signal
from collections import Counter
from dataclasses import dataclass, field

from export_pipelines.core.jobs import JobStatus
from export_pipelines.db import jobs
from export_pipelines_tests.chaos.checks import check_completed_by_running_again, check_nothing_half_done
from export_pipelines_tests.chaos.moments import Moment
from export_pipelines_tests.chaos.plan import Kill, Plan, Route
from export_pipelines_tests.chaos.servers import OwnServer
from export_pipelines_tests.deployments import Deployment

_CALLS: dict[str, Counter[str]] = {}


@dataclass(kw_only=True)
class Tally:
    """What rounds came to.

    Attributes:
        kills: by the phase that the worker died in.
        outages: of the database, by their kind.
        continued: exports completed by the attempt that was killed.
        restarted: exports whose snapshot was lost, so that another attempt completed them.
        identical: exports with the bytes of one that nobody disturbed; all, or the round has failed.
    """

    kills: Counter[str] = field(default_factory=Counter)
    outages: Counter[str] = field(default_factory=Counter)
    continued: int = 0
    restarted: int = 0
    identical: int = 0


def carry_out(deployment: Deployment, plan: Plan, tally: Tally, *, server: OwnServer | None = None) -> None:
    """Go through the seed's round.

    Args:
        deployment: where it takes place.
        plan: what happens.
        tally: is added to.
        server: the deployment's, when it may be taken away; without it workers are killed instead.

    Raises:
        AssertionError: something half-done was in sight, a row was not true, or the file was not the same.
    """
    services = deployment.services
    job = plan.route.submit(services)
    kills = list(plan.kills)
    if plan.outage is not None and server is not None:
        first = moment(deployment, plan.route, kills.pop(0), number=signal.SIGSTOP)
        lose_database(deployment, server, first, job.id, how=plan.outage, alone=plan.route.alone)
        tally.outages[plan.outage] += 1
    for kill in kills:
        if jobs.get(services.database, job.id).status is JobStatus.COMPLETED:
            break
        died = deployment.work(moment(deployment, plan.route, kill), job.id, alone=plan.route.alone).wait()
        assert died.status == -signal.SIGKILL, (plan, died)
        tally.kills[kill.phase] += 1
        check_nothing_half_done(services, job.id, killed=plan.outage is None)
    done = check_completed_by_running_again(services, job.id)
    tally.identical += 1
    if done.attempt == 1:
        tally.continued += 1
    else:
        tally.restarted += 1


def lose_database(deployment: Deployment, server: OwnServer, at: Moment, job_id: str, *, how: str, alone: bool) -> None:
    """Take the database away in the middle of a worker's work: it goes on, or says so, and the row is true."""
    worker = deployment.work(at, job_id, alone=alone)
    worker.wait_until_stopped()
    if how == "restarted":
        server.stop()
    else:
        server.kill()
    if how != "away":
        server.start()
    worker.go_on()
    ended = worker.wait()
    server.start()
    check_nothing_half_done(deployment.services, job_id, killed=False)
    row = jobs.get(deployment.database, job_id)
    if ended.status == 0:
        assert row.status is JobStatus.COMPLETED, (at, row)
        return
    assert ended.status == 1, (at, ended)
    assert "Check that it runs" in ended.err, (at, ended)
    assert row.error is None or "Check that it runs" in row.error
    assert how != "away" or row.error is None


def moment(deployment: Deployment, route: Route, kill: Kill, *, number: int = signal.SIGKILL) -> Moment:
    """The call that the share comes to, by the calls of an export on the same route that nobody kills."""
    calls = _CALLS.get(str(route))
    if calls is None:
        apart = [] if route.alone else ["apart"]
        counted = deployment.fork(None, "calls", route.submit(deployment.services).id, *apart).wait()
        assert counted.status == 0, counted
        calls = _CALLS[str(route)] = Counter(counted.json)
    return Moment(phase=kill.phase, call=1 + int(kill.share * calls[kill.phase]), number=number)
