// Exports that wait or run, followed to their end: by server-sent events, or by asking, where those do not come through.

import { localize, span } from "./times.js";

// A browser opens six connections to a server, for all of its tabs together; the rest of the page needs some of them.
const STREAMS = 2;
const MOST_FAILED = 3;
const POLL_MS = 2000;

const ordinals = new Intl.PluralRules("en", { type: "ordinal" });
let streams = 0;

export function followJobs() {
  for (const row of document.querySelectorAll("[data-live]")) follow(row);
  document.addEventListener("over", (event) => {
    const row = event.target.closest("[data-job]");
    if (row) renew(row);
  });
}

function follow(row) {
  const path = `/api/exports/${encodeURIComponent(row.dataset.job)}`;
  if (streams >= STREAMS || !("EventSource" in window)) return poll(row, path);
  streams += 1;
  const source = new EventSource(`${path}/events?lastEventId=${row.dataset.event}`);
  const leave = () => {
    source.close();
    streams -= 1;
  };
  let failed = 0;
  const hear = (event) => {
    failed = 0;
    if (show(row, JSON.parse(event.data))) leave();
  };
  source.addEventListener("progress", hear);
  source.addEventListener("end", hear);
  source.addEventListener("error", () => {
    // While it says CONNECTING the browser tries again by itself; something on the way may never let a stream through.
    failed += 1;
    if (source.readyState === EventSource.CLOSED || failed >= MOST_FAILED) {
      leave();
      poll(row, path);
    }
  });
  addEventListener("pagehide", () => source.close(), { once: true });
}

async function poll(row, path) {
  while (row.isConnected) {
    const answer = await fetch(`${path}/status`, { headers: { Accept: "application/json" } }).catch(() => null);
    // To the login form, which leads back; or the export was deleted somewhere else.
    if (answer && answer.status === 401) return location.reload();
    if (answer && answer.status === 404) return;
    if (answer && answer.ok && show(row, await answer.json())) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

// Whether there is nothing more to hear for this row: it has another status, and so the server shows it otherwise.
function show(row, state) {
  const percent = state.progress_percent;
  const bar = row.querySelector("progress");
  if (bar && percent !== undefined) {
    bar.value = percent;
    row.querySelector("[data-percent]").textContent = `${percent} %`;
  }
  if (state.status !== row.dataset.status) {
    renew(row);
    return true;
  }
  const doing = state.queue_position ? waiting(state.queue_position) : state.message ?? state.phase;
  if (doing) row.querySelector("[data-doing]").textContent = doing.charAt(0).toUpperCase() + doing.slice(1);
  const left = row.querySelector("[data-left]");
  const seconds = (new Date(state.estimated_finish_at ?? 0) - Date.now()) / 1000;
  left.hidden = seconds < 1;
  left.textContent = `${span(seconds)} left`;
  return false;
}

// As jobs_shown.ShownJob.doing of the server.
function waiting(place) {
  if (place === 1) return "next in the queue";
  const ending = { one: "st", two: "nd", few: "rd", other: "th" }[ordinals.select(place)];
  return `${place}${ending} in the queue`;
}

// The row as the server shows it now, in place of the old one; the page of one export is loaded anew.
async function renew(row) {
  if (row.dataset.live === "page" || !row.id) return location.reload();
  const answer = await fetch(row.dataset.row).catch(() => null);
  if (answer && answer.status === 401) return location.reload();
  if (answer && answer.status === 404) return row.remove();
  if (!answer || !answer.ok || !row.isConnected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const next = page.querySelector("[data-job]");
  const focused = row.contains(document.activeElement);
  row.replaceWith(next);
  localize(next);
  if (focused) next.querySelector("h3 a").focus();
  announce(`${next.dataset.title}: ${next.querySelector("[data-word]").textContent}`);
  if ("live" in next.dataset) follow(next);
}

function announce(text) {
  const place = document.querySelector("[data-announce]");
  if (place) place.textContent = text;
}
