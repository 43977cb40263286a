"""Contexts as the load step freezes them."""

SCENARIOS = {
    "s1": {"id": "s1", "name": "Plain", "dimensions": {"Freedom": 1, "Harmony": 2}, "prompt": "Choose."},
    "s.2": {"id": "s.2", "name": '=F, "q"', "dimensions": {"Harmony": -5, "Freedom": 2.5}, "prompt": "\u2028"},
    "sé3": {"id": "sé3", "name": "Mot", "dimensions": {"Freedom": "low"}, "prompt": "日本\r\n"},
}  # fmt: skip


def run_context(*, options=None, scenarios=None):
    scenarios = SCENARIOS if scenarios is None else scenarios
    return {
        "options": options or {},
        "run": {
            "id": "crun1",
            "name": "A run",
            "status": "COMPLETED",
            "created_at": "2026-01-02T03:04:05.678900Z",
            "config": {},
        },
        "definition": {"id": "cdef1", "name": "A definition"},
        "scenarios": scenarios,
        "dimension_names": ["Freedom", "Harmony"],
    }
