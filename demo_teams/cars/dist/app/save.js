// Buttons that keep a car or put it into the basket: they say so on `document`, and show what mf:state tells.
const TEAM = "cars";
const buttons = () => document.querySelectorAll("[data-cars-save]");

function itemOf(button) {
  const anchor = button.closest("[data-cars-item]").querySelector("h1 a[href], h2 a[href], h3 a[href]");
  return { team: TEAM, id: button.dataset.id, title: button.dataset.title, note: button.dataset.note, href: new URL(anchor.href).pathname };
}

export function refresh() {
  for (const button of buttons()) button.hidden = false;
  document.dispatchEvent(new CustomEvent("mf:ask"));
}

document.addEventListener("mf:state", ({ detail }) => {
  for (const button of buttons()) {
    const kept = detail[button.dataset.carsSave] ?? [];
    button.setAttribute("aria-pressed", String(kept.some((item) => item.team === TEAM && item.id === button.dataset.id)));
  }
});
document.addEventListener("click", ({ target }) => {
  const button = target.closest?.("[data-cars-save]");
  if (!button) return;
  button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
  document.dispatchEvent(new CustomEvent(`mf:${button.dataset.carsSave}`, { detail: itemOf(button) }));
});
refresh();
