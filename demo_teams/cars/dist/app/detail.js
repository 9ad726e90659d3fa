// One car's page, built from its data: the same that lies in the bucket as a file, so that a reload shows no other.
import { link } from "./garage.js";

function make(name, { text, children = [], ...attributes } = {}) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  element.append(...children);
  return element;
}

const fact = ([term, value]) =>
  make("div", { children: [make("dt", { text: term }), make("dd", { text: value })] });

function heart(car) {
  const button = make("button", { class: "cars-save", type: "button", hidden: "", "aria-pressed": "false", "data-cars-save": "favourite", "data-id": car.id, "data-title": car.name, "data-note": noteOf(car) });
  button.innerHTML =
    '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 20.3 4.4 12.8a4.9 4.9 0 0 1 0-7 4.9 4.9 0 0 1 7 0l.6.7.6-.7a4.9 4.9 0 0 1 7 0 4.9 4.9 0 0 1 0 7z"/></svg>';
  button.append(make("span", { class: "cars-word", text: `Keep ${car.name}` }));
  return button;
}

const noteOf = (car) => `${car.seats} seats · ${car.drive} · ${car.range} km, €${car.price} a day`;

export function detail(car) {
  const picture = make("img", { src: link(`/art/${car.id}.svg`), width: 640, height: 380, alt: "" });
  const self = make("a", { href: link(`/car/${car.id}/`), text: car.name });
  const facts = [["Seats", car.seats], ["Drive", car.drive], ["Range", `${car.range} km`], ["A day", `€${car.price}`]];
  const story = make("div", {
    children: [
      make("h1", { class: "cars-title", tabindex: -1, children: [self] }),
      make("p", { class: "cars-lead", text: car.line }),
      make("p", { text: car.story }),
      make("dl", { class: "cars-sheet", children: facts.map(fact) }),
      make("ul", { class: "cars-good", children: car.good_for.map((text) => make("li", { text })) }),
      make("div", { class: "cars-hire", "data-cars-hire": "" }),
    ],
  });
  const crumbs = make("nav", { class: "cars-crumbs", "aria-label": "Breadcrumb", children: [make("a", { href: link("/"), text: "All cars" })] });
  const article = make("article", { class: "cars-car", "data-cars-item": "", children: [make("div", { class: "cars-picture", children: [picture, heart(car)] }), story] });
  return [crumbs, article];
}

// What a hire costs, by days; without JavaScript the kiosk does the sum.
export function hire(main, car) {
  const box = main.querySelector("[data-cars-hire]");
  if (!box) return;
  const days = make("input", { type: "range", min: 1, max: 14, value: 3 });
  const told = make("span");
  const sum = make("output");
  const tell = () => {
    told.textContent = days.value === "1" ? "1 day" : `${days.value} days`;
    sum.textContent = `€${car.price * Number(days.value)}`;
  };
  days.addEventListener("input", tell);
  tell();
  const basket = make("button", { class: "cars-button", type: "button", text: "Put into the basket", "aria-pressed": "false", "data-cars-save": "basket", "data-id": car.id, "data-title": car.name, "data-note": noteOf(car) });
  box.replaceChildren(make("label", { children: ["Keep it for ", told, days] }), sum, basket);
}
