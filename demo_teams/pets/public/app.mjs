// After the first paint the pages go on in the browser: routes by the History API, data from our own API.
// Where our root is, this module sees from its own address; it is served one folder below it, wherever that may be.
import * as views from "./views.mjs";
import { refresh } from "./save.mjs";

const root = new URL("../", import.meta.url);
const main = document.querySelector("#main");
const link = (path) => new URL(path.slice(1), root).href.slice(root.origin.length);

const ROUTES = [
  [/^$/, (_, query) => ({ api: `/api/pets${query}`, view: views.list })],
  [/^pet\/(\d+)$/, ([, id]) => ({ api: `/api/pets/${id}`, view: views.detail })],
];

function route(url) {
  if (url.origin !== root.origin || !url.pathname.startsWith(root.pathname)) return null;
  const path = url.pathname.slice(root.pathname.length);
  for (const [pattern, found] of ROUTES) {
    const match = pattern.exec(path);
    if (match) return found(match, url.search);
  }
  return null;
}

async function ask(api, signal) {
  const answer = await fetch(link(api), { signal, headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`${api}: ${answer.status}`);
  return answer.json();
}

// Pages as last painted, by what they were made of. One seen before is painted at once, so that "back" finds the place
// it had scrolled to; what our API says then may still repaint it.
const painted = new Map();

function paint(api, { title, html }) {
  painted.set(api, { title, html });
  main.innerHTML = html;
  document.title = title;
  refresh();
}

let going = new AbortController();

async function show(url, found) {
  going.abort();
  going = new AbortController();
  const before = painted.get(found.api);
  if (before) paint(found.api, before);
  main.setAttribute("aria-busy", "true");
  try {
    const made = found.view(await ask(found.api, going.signal), link);
    if (made.html !== before?.html) paint(found.api, { title: `${made.title} · Adopt`, html: made.html });
  } catch (error) {
    if (error.name === "AbortError") return;
    location.assign(url);
  }
  main.removeAttribute("aria-busy");
}

const isPlain = (click) => click.button === 0 && !click.metaKey && !click.ctrlKey && !click.shiftKey && !click.altKey;

document.addEventListener("click", async (click) => {
  const anchor = click.target.closest?.("#main a[href]");
  if (!anchor || anchor.target || click.defaultPrevented || !isPlain(click)) return;
  const url = new URL(anchor.href);
  const found = route(url);
  if (!found) return;
  click.preventDefault();
  if (url.href !== location.href) history.pushState(null, "", url);
  await show(url, found);
  scrollTo(0, 0);
  main.querySelector("h1")?.focus({ preventScroll: true });
});

addEventListener("popstate", () => {
  const url = new URL(location.href);
  const found = route(url);
  if (found) show(url, found);
});

const first = route(new URL(location.href));
if (first) painted.set(first.api, { title: document.title, html: main.innerHTML });
