"""What the command-line tools make of a scenarios file, written anew from their rules without the product's code."""

import re
from collections import defaultdict
from dataclasses import dataclass

import yaml


@dataclass
class Reading:
    preamble: str
    in_file_order: list[tuple[str, dict[str, object]]]


def read(data: bytes) -> Reading:
    """Stripped texts and the scores in the key, one dict a scenario; rejects what the tools reject."""
    # The tools open the file as text, which translates line ends before YAML sees them.
    loaded = yaml.safe_load(data.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n"))
    if not loaded["preamble"] or not loaded["scenarios"]:
        raise ValueError("the tools refuse a file without preamble or scenarios")
    # They sort the keys, which has to be possible.
    assert sorted(loaded["scenarios"])
    entries = []
    for key, entry in loaded["scenarios"].items():
        texts = {field: str(entry[field]).strip() for field in ("base_id", "subject", "body")}
        entries.append((key, defaultdict(lambda: None, {**scores_in(key), **texts})))
    return Reading(str(loaded["preamble"]).strip(), entries)


def scores_in(key: str) -> dict[str, int]:
    match = re.match(r"scenario_(\d+)(?:_(.*))?", key)
    tokens = (match[2] or "").split("_") if match else []
    found = (re.match(r"([A-Za-z]+)(-?\d+)", token) for token in tokens)
    return {token[1]: int(token[2]) for token in found if token}
