// The pages lie in the bucket complete; this goes on from whichever was opened. List and details by the History API, each
// address a file of its own, so that a reload needs no server that rewrites.
import { detail, hire } from "./detail.js";
import { cars, placeOf } from "./garage.js";
import { refresh } from "./save.js";
import { sift } from "./sift.js";

const main = document.querySelector("#main");
const kept = new Map(); // pages as they were left, by place: "back" finds its wishes and its place

async function carAt(place) {
  return (await cars()).find((car) => car.id === place);
}

async function enhance(place) {
  if (place === "") sift(main);
  else hire(main, await carAt(place));
  refresh();
}

async function show(place, url) {
  kept.set(shown, { title: document.title, nodes: [...main.childNodes] });
  const before = kept.get(place);
  if (before) {
    main.replaceChildren(...before.nodes);
    document.title = before.title;
    shown = place;
    return refresh();
  }
  const car = place && (await carAt(place).catch(() => null));
  if (!car) return location.assign(url);
  main.replaceChildren(...detail(car));
  document.title = `${car.name} · Drive`;
  shown = place;
  return enhance(place);
}

const isPlain = (click) => click.button === 0 && !click.metaKey && !click.ctrlKey && !click.shiftKey && !click.altKey;

document.addEventListener("click", async (click) => {
  const anchor = click.target.closest?.("#main a[href]");
  if (!anchor || click.defaultPrevented || !isPlain(click)) return;
  const place = placeOf(new URL(anchor.href));
  if (place === null) return;
  click.preventDefault();
  if (place === shown) return;
  history.pushState(null, "", anchor.href);
  await show(place, anchor.href);
  scrollTo(0, 0);
  main.querySelector("h1")?.focus({ preventScroll: true });
});

addEventListener("popstate", () => {
  const place = placeOf(new URL(location.href));
  if (place !== null && place !== shown) show(place, location.href);
});

let shown = placeOf(new URL(location.href));
if (shown !== null) await enhance(shown);
