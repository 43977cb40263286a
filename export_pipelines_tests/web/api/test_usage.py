"""``/api/usage`` on a running service."""

import pytest

from export_pipelines_tests.web.api_site import ApiSite

PATH = "/api/usage"
ROWS = """
INSERT INTO exports.export_usage_stats (user_id, day, type, exports, failures, rows, bytes, duration_ms, last_entry)
SELECT %(user)s, day::date, type, 2, 1, 10, 1000, 3000, 1
FROM unnest(ARRAY['2026-01-31', '2026-02-01', '2026-02-28']) AS day, unnest(ARRAY['BULK_CSV', 'RUN_BUNDLE']) AS type
"""
SPAN = {"from": "2026-01-01", "to": "2026-12-31"}


@pytest.fixture
def counted(api: ApiSite) -> ApiSite:
    with api.services.database.raw_connection(autocommit=True) as connection:
        for role in ("owner", "other"):
            connection.execute(ROWS, {"user": api.people[role]})
    return api


def test_usage_is_added_up_by_day_and_by_month(counted: ApiSite) -> None:
    days = counted.owner.get(PATH, params=SPAN).json()["items"]
    assert [(one["begins"], one["type"]) for one in days] == [
        ("2026-02-28", "BULK_CSV"), ("2026-02-28", "RUN_BUNDLE"), ("2026-02-01", "BULK_CSV"),
        ("2026-02-01", "RUN_BUNDLE"), ("2026-01-31", "BULK_CSV"), ("2026-01-31", "RUN_BUNDLE"),
    ]  # fmt: skip
    assert {one["user_id"] for one in days} == {counted.people["owner"]}
    assert days[0] | {"begins": "", "type": "", "user_id": ""} == {
        "user_id": "", "begins": "", "type": "", "exports": 2, "failures": 1, "rows": 10, "bytes": 1000,
        "average_seconds": 1.5,
    }  # fmt: skip
    months = counted.owner.get(PATH, params={**SPAN, "by": "month"}).json()["items"]
    assert [(one["begins"], one["type"], one["exports"]) for one in months] == [
        ("2026-02-01", "BULK_CSV", 4), ("2026-02-01", "RUN_BUNDLE", 4),
        ("2026-01-01", "BULK_CSV", 2), ("2026-01-01", "RUN_BUNDLE", 2),
    ]  # fmt: skip


def test_administrators_see_everybodys_in_pages_without_a_gap_or_a_double(counted: ApiSite) -> None:
    administrator = counted.clients["administrator"]
    seen, cursor = [], None
    for _ in range(5):
        params = {**SPAN, "all": "true", "limit": 5} | ({"cursor": cursor} if cursor else {})
        page = administrator.get(PATH, params=params).json()
        seen += [(one["begins"], one["user_id"], one["type"]) for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 12
    assert seen == sorted(sorted(seen, key=lambda one: one[1:]), key=lambda one: one[0], reverse=True)
    of_other = administrator.get(PATH, params={**SPAN, "user": "other@example.org"}).json()["items"]
    assert {one["user_id"] for one in of_other} == {counted.people["other"]}
    for params in ({"all": "true"}, {"user": "other@example.org"}):
        assert counted.owner.get(PATH, params=params).status_code == 403


def test_days_that_are_none_are_refused_and_the_calendars_ends_are_not(counted: ApiSite) -> None:
    assert counted.owner.get(PATH).json() == {"items": [], "next_cursor": None}
    for params, status in (
        ({"from": "2026-03-01", "to": "2026-02-01"}, 422),
        ({"from": "yesterday"}, 422),
        ({"by": "year"}, 422),
        ({"to": "0001-01-01"}, 200),
        ({"to": "0001-01-01", "by": "month"}, 200),
        ({"to": "9999-12-31", "by": "month"}, 200),
    ):
        assert counted.owner.get(PATH, params=params).status_code == status, params
    assert counted.clients["nobody"].get(PATH).status_code == 401
