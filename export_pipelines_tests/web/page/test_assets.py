"""Static files, and what every page allows."""

import re

import httpx

from export_pipelines.web.page import assets
from export_pipelines_tests.web.api_site import ApiSite
from export_pipelines_tests.web.page.visitor import HTML


def test_every_file_that_a_page_names_is_there_for_ever_and_under_no_other_version(api: ApiSite) -> None:
    named = re.findall(r'(?:src|href)="(/static/[^"]+)"', httpx.get(f"{api.url}/login").text)
    assert len(named) >= 5
    for path in named:
        answer = httpx.get(api.url + path)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
        other = re.sub("/static/[0-9a-f]+/", "/static/0123456789abcdef/", path)
        assert httpx.get(api.url + other).status_code == 404
    for hostile in ("../templates.py", "%2e%2e%2ftemplates.py", "..%5ctemplates.py", "%00", "page.js/"):
        assert httpx.get(f"{api.url}/static/{assets.load().version}/{hostile}").status_code == 404


def test_the_version_is_that_of_the_content() -> None:
    assert assets.load().version == assets.load().version
    assert re.fullmatch("[0-9a-f]{16}", assets.load().version)
    assert {"base.css", "page.js", "icon.svg"} <= set(assets.load().files)


def test_scripts_import_each_other_by_names_that_are_there() -> None:
    files = assets.load().files
    for name, file in files.items():
        for imported in re.findall(r'from "\./([^"]+)"', file.data.decode()):
            assert (name, imported in files) == (name, True)


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_text_can_be_told_from_what_is_behind_it_by_day_and_by_night() -> None:
    css = assets.load().files["base.css"].data.decode()
    palettes = [dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", part)) for part in css.split("@media")[:2]]
    assert [len(palette) for palette in palettes] == [16, 16]
    pairs = [(text, behind) for text in ("ink", "soft", "accent", "bad") for behind in ("paper", "surface", "sunk")]
    pairs += [("on-accent", "accent"), ("ink", "accent-soft"), ("soft", "accent-soft"), ("bad", "bad-soft")]
    for palette in palettes:
        for text, behind in pairs:
            dark, light = sorted((luminance(palette[text]), luminance(palette[behind])))
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, behind)
        dark, light = sorted((luminance(palette["field"]), luminance(palette["surface"])))
        assert (light + 0.05) / (dark + 0.05) >= 3


def test_a_page_may_do_nothing_that_does_not_come_from_here(api: ApiSite) -> None:
    for path in ("/login", "/nowhere", "/downloads/forged"):
        answer = httpx.get(api.url + path, headers=HTML)
        policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
        assert policy == {
            "default-src": "'none'",
            "script-src": "'self'",
            "style-src": "'self'",
            "img-src": "'self'",
            "connect-src": "'self'",
            "form-action": "'self'",
            "base-uri": "'none'",
            "frame-ancestors": "'none'",
        }
        assert not re.search(r"<style|\sstyle=|<script(?! type=\"module\" src=)|\son[a-z]+=", answer.text)
        assert answer.headers["referrer-policy"] == "no-referrer"
