// Moments in the reader's own zone, and how long it is until others, counted down.

const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

export function showTimes() {
  localize(document);
  setInterval(count, 1000);
}

// Also for pieces of the page that come later.
export function localize(within) {
  for (const time of within.querySelectorAll("time[data-local]")) {
    time.title ||= time.textContent.trim();
    time.textContent = (time.dataset.local === "clock" ? clock : local).format(new Date(time.dateTime));
  }
}

function count() {
  for (const time of document.querySelectorAll("time[data-until]")) {
    const left = (new Date(time.dateTime) - Date.now()) / 1000;
    const text = span(left);
    if (time.textContent !== text) time.textContent = text;
    // What it counted down to has come: the row says what is now.
    if (left <= 0) {
      time.removeAttribute("data-until");
      time.dispatchEvent(new CustomEvent("over", { bubbles: true }));
    }
  }
}

// As shown.span of the server.
export function span(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min`;
  const [large, small, names] = whole < 172800 ? [3600, 60, ["h", "min"]] : [86400, 3600, ["d", "h"]];
  const rest = Math.floor((whole % large) / small);
  return `${Math.floor(whole / large)} ${names[0]}` + (rest ? ` ${rest} ${names[1]}` : "");
}
