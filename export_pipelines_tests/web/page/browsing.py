"""A real browser: what a person sees and does, and what must hold of every page that they get to."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
needs_chromium = pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium: apt-get install chromium")
_QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]

# Cheap questions, asked of every page: they find what keeps people out who do not see or do not use a mouse.
_FAULTS = """() => {
  const faults = [], shown = (element) => element.type !== "hidden";
  for (const field of document.querySelectorAll("input, select, textarea"))
    if (shown(field) && !field.labels?.length && !field.ariaLabel) faults.push(`no label: ${field.outerHTML}`);
  for (const control of document.querySelectorAll("a, button, summary, progress"))
    if (!(control.ariaLabel || control.textContent.trim())) faults.push(`no name: ${control.outerHTML}`);
  for (const image of document.querySelectorAll("img"))
    if (!image.hasAttribute("alt")) faults.push(`no text: ${image.outerHTML}`);
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push(`two of id ${id}`);
  for (const name of ["aria-labelledby", "aria-describedby", "aria-controls"])
    for (const element of document.querySelectorAll(`[${name}]`))
      for (const id of element.getAttribute(name).split(" "))
        if (!document.getElementById(id)) faults.push(`${name} leads to no ${id}`);
  const levels = [...document.querySelectorAll("h1, h2, h3, h4")].map((heading) => Number(heading.tagName[1]));
  if (levels.filter((level) => level === 1).length !== 1) faults.push(`h1 is not there once: ${levels}`);
  levels.forEach((level, place) => {
    if (place && level > levels[place - 1] + 1) faults.push(`headings leap: ${levels}`);
  });
  if (!document.querySelector("main#content") || !document.querySelector("a.skip[href='#content']"))
    faults.push("no way to skip to the content");
  for (const text of document.querySelectorAll("svg text")) {
    const box = text.getBBox(), all = text.ownerSVGElement.viewBox.baseVal;
    if (box.x < 0 || box.x + box.width > all.width + 0.5) faults.push(`cut off: ${text.textContent}`);
  }
  if (!document.documentElement.lang) faults.push("no language");
  if (document.documentElement.scrollWidth > innerWidth) faults.push("wider than the window");
  return faults;
}"""


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as play:
        running = play.chromium.launch(executable_path=CHROMIUM, args=_QUIET)
        try:
            yield running
        finally:
            running.close()


@contextmanager
def window(running: Browser, url: str, **looks: object) -> Iterator[Page]:
    """A window of its own; at the end nothing may have gone wrong in it, nor anything been held back by the policy."""
    context = running.new_context(base_url=url, **{"viewport": {"width": 1180, "height": 860}, **looks})
    page = context.new_page()
    page.set_default_timeout(20_000)
    wrong: list[str] = []

    def note(message: ConsoleMessage) -> None:
        # A status that was asked for is told in the console as well.
        if message.type in ("error", "warning") and "the server responded with a status of 4" not in message.text:
            wrong.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    try:
        yield page
        assert wrong == []
    finally:
        context.close()


def log_in(page: Page, *, email: str, password: str) -> None:
    """By the form, wherever it is shown."""
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def faults(page: Page) -> list[str]:
    """What keeps people out of the page."""
    return page.evaluate(_FAULTS)
