// Hearts that say mf:favourite on `document`, and show what mf:state tells. Painted anew? Call refresh.
const TEAM = "pets";
const buttons = () => document.querySelectorAll("[data-pets-save]");

function itemOf(button) {
  const anchor = button.closest("[data-pets-item]").querySelector("a[href]");
  return { team: TEAM, id: button.dataset.id, title: button.dataset.title, note: button.dataset.note, href: new URL(anchor.href).pathname };
}

export function refresh() {
  for (const button of buttons()) button.hidden = false;
  document.dispatchEvent(new CustomEvent("mf:ask"));
}

document.addEventListener("mf:state", ({ detail }) => {
  const kept = new Set((detail.favourite ?? []).filter((item) => item.team === TEAM).map((item) => item.id));
  for (const button of buttons()) button.setAttribute("aria-pressed", String(kept.has(button.dataset.id)));
});
document.addEventListener("click", ({ target }) => {
  const button = target.closest?.("[data-pets-save]");
  if (!button) return;
  button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
  document.dispatchEvent(new CustomEvent("mf:favourite", { detail: itemOf(button) }));
});
refresh();
