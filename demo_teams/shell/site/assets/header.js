// Keeps what a visitor saved, and counts it. Fragments of any team speak on `document`, this listens; nobody imports
// anybody. Topics: mf:favourite and mf:basket put in or take out {team, id, title, href, note};
// mf:ask begs for mf:state, which tells {favourite: […], basket: […]} to whoever wants to show it.
const KEYS = { favourite: "harbour.favourite", basket: "harbour.basket" };
const MOST = 200;

function recall(kind) {
  try {
    const kept = JSON.parse(localStorage.getItem(KEYS[kind]) ?? "[]");
    return Array.isArray(kept) ? kept.filter((item) => item && typeof item.id === "string") : [];
  } catch {
    return [];
  }
}

function remember(kind, items) {
  try {
    localStorage.setItem(KEYS[kind], JSON.stringify(items));
  } catch {
    // A full or closed store: the count of this page is still right, the next page starts anew.
  }
  state[kind] = items;
  tell();
}

const same = (a, b) => a.team === b.team && a.id === b.id;

function toggle(kind, { team, id, title = "", href = "", note = "" }) {
  const item = { team: String(team), id: String(id), title: String(title), href: String(href), note: String(note) };
  const others = state[kind].filter((kept) => !same(kept, item));
  remember(kind, others.length < state[kind].length ? others : [...others, item].slice(-MOST));
}

function tell() {
  for (const [kind, items] of Object.entries(state)) {
    for (const badge of document.querySelectorAll(`[data-shell-count="${kind}"]`)) {
      badge.textContent = String(items.length);
      badge.hidden = items.length === 0;
    }
  }
  document.dispatchEvent(new CustomEvent("mf:state", { detail: structuredClone(state) }));
}

function markWhereWeAre() {
  const links = [...document.querySelectorAll(".shell-nav a")];
  const here = links.filter((link) => location.pathname.startsWith(new URL(link.href).pathname));
  const closest = here.sort((a, b) => b.href.length - a.href.length)[0];
  closest?.setAttribute("aria-current", closest.href === location.href ? "page" : "true");
}

const state = { favourite: recall("favourite"), basket: recall("basket") };
for (const kind of Object.keys(KEYS)) {
  document.addEventListener(`mf:${kind}`, ({ detail }) => detail && toggle(kind, detail));
}
document.addEventListener("mf:ask", tell);
window.addEventListener("storage", ({ key }) => {
  const kind = Object.keys(KEYS).find((kind) => KEYS[kind] === key);
  if (!kind) return;
  state[kind] = recall(kind);
  tell();
});
markWhereWeAre();
tell();
