// Buttons that keep a stay or put it into the basket: they say so on `document`, and show what `mf:state` tells.
// Without a listener they answer for themselves; without JavaScript they are not there.
const TEAM = "hotels";
const buttons = [...document.querySelectorAll("[data-hotels-save]")];

function itemOf(button) {
  const link = button.closest("[data-hotels-item]").querySelector("a[href]");
  return { team: TEAM, id: button.dataset.id, title: button.dataset.title, note: button.dataset.note, href: new URL(link.href).pathname };
}

function press(button, pressed) {
  button.setAttribute("aria-pressed", String(pressed));
}

document.addEventListener("mf:state", ({ detail }) => {
  for (const button of buttons) {
    const kept = detail[button.dataset.hotelsSave] ?? [];
    press(button, kept.some((item) => item.team === TEAM && item.id === button.dataset.id));
  }
});
for (const button of buttons) {
  button.hidden = false;
  button.addEventListener("click", () => {
    press(button, button.getAttribute("aria-pressed") !== "true");
    document.dispatchEvent(new CustomEvent(`mf:${button.dataset.hotelsSave}`, { detail: itemOf(button) }));
  });
}
document.dispatchEvent(new CustomEvent("mf:ask"));
