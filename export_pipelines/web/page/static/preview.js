// The estimate and the beginning of the file, beside the form and without loading the page anew.

export function previewInPlace() {
  const form = document.querySelector("form[data-order]");
  if (!form) return;
  const button = form.querySelector("[data-preview]");
  const place = form.querySelector("[data-target]");
  form.addEventListener("submit", (event) => {
    if (event.submitter !== button) {
      // Twice clicked is started once.
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "yes";
      return;
    }
    event.preventDefault();
    show(form, button, place);
  });
  // Back from the next page, the form may be sent again.
  addEventListener("pageshow", () => delete form.dataset.sent);
}

async function show(form, button, place) {
  button.setAttribute("aria-busy", "true");
  const body = new URLSearchParams(new FormData(form, button));
  const headers = { "X-Fragment": "preview" };
  const answer = await fetch(form.getAttribute("action"), { method: "POST", body, headers }).catch(() => null);
  button.removeAttribute("aria-busy");
  if (answer && answer.status === 401) return location.reload();
  const found = answer && new DOMParser().parseFromString(await answer.text(), "text/html");
  if (answer && answer.headers.get("X-Fragment")) {
    place.replaceChildren(...found.body.children);
  } else {
    const said = document.createElement("p");
    said.className = "error";
    said.textContent = found ? found.querySelector("h1 + p")?.textContent ?? "That did not work." : "The server does not answer; try again.";
    place.replaceChildren(said);
  }
  if (matchMedia("(width <= 60rem)").matches) place.scrollIntoView({ block: "nearest" });
}
