// Runs and definitions found as somebody types.

const WAIT_MS = 200;

export function searchAsTyped() {
  const field = document.querySelector("input[data-search]");
  if (!field) return;
  const list = document.querySelector("[data-choices]");
  document.querySelector("[data-without-script]").hidden = true;
  let timer;
  let last = 0;
  const search = async () => {
    const mine = ++last;
    const chosen = list.querySelector("input:checked");
    const query = new URLSearchParams({ q: field.value, chosen: chosen ? chosen.value : "" });
    const answer = await fetch(`${field.dataset.search}?${query}`).catch(() => null);
    // An answer that was overtaken by a later one is of no use.
    if (mine !== last || !answer) return;
    if (answer.status === 401) return location.reload();
    if (!answer.ok) return;
    const found = new DOMParser().parseFromString(await answer.text(), "text/html");
    list.replaceChildren(...found.body.children);
  };
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, WAIT_MS);
  });
  field.addEventListener("keydown", (event) => {
    // Enter in the field searches; it would start the export.
    if (event.key !== "Enter") return;
    event.preventDefault();
    clearTimeout(timer);
    search();
  });
}
