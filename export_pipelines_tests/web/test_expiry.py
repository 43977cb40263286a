"""A link ends with its second, whether or not anybody has swept."""

from datetime import timedelta

import pytest

from export_pipelines.core.jobs import JobStatus
from export_pipelines.db import audit, jobs
from export_pipelines.storage import links
from export_pipelines_tests.web.site import SECRET, Site


@pytest.mark.parametrize("site_name", ["local_site", "s3_site"])
def test_a_link_ends_with_the_second_of_expiry_though_nobody_swept(
    request: pytest.FixtureRequest, site_name: str
) -> None:
    site: Site = request.getfixturevalue(site_name)
    export = site.publish(hours=1)
    assert export.job.expires_at is not None
    own = links.mint(SECRET, job_id=export.job.id, expires_at=export.job.expires_at)
    site.clock.now = export.job.expires_at - timedelta(seconds=1)
    for token in (own, export.token):
        assert site.http.get(f"/downloads/{token}", follow_redirects=True).content == export.data
    site.clock.now = export.job.expires_at
    for path in (f"/downloads/{own}", export.path, f"{export.path}/manifest"):
        assert site.http.get(path).status_code == 410
        assert site.http.head(path).status_code == 410
    assert jobs.get(site.database, export.job.id).status is JobStatus.COMPLETED
    assert site.count(export) == 2
    actions = [entry.action for entry in audit.list_for_job(site.database, export.job.id)]
    assert actions[-4:] == ["downloaded", "downloaded", "link_refused", "link_refused"]
