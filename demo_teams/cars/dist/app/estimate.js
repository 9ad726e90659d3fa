// The estimate reckons with days and kilometres as they are wished for, and hears from others' pieces on the page:
// `mf:state:stay` says for how many nights somebody is here, `mf:state:companion` who comes along. Nobody imports
// anybody; without them, and without this module, there is a table with an example in it.
const DAYS = 2;
const KM = 200;

const make = (name, props, ...children) => {
  const element = Object.assign(document.createElement(name), props);
  element.append(...children);
  return element;
};
const some = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

class Estimate extends HTMLElement {
  #days = make("input", { type: "number", min: 1, max: 28, value: DAYS });
  #km = make("input", { type: "range", min: 20, max: 800, step: 20, value: KM });
  #far = make("span", {});
  #wish = make("div", { className: "cars-estimate-wish" }, make("label", {}, "Days", this.#days), make("label", {}, this.#far, this.#km));
  #listening;

  connectedCallback() {
    this.prepend(this.#wish);
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    this.#wish.addEventListener("input", () => this.#reckon(), { signal });
    document.addEventListener("mf:state:stay", ({ detail }) => this.#hearOfStay(detail), { signal });
    document.addEventListener("mf:state:companion", ({ detail }) => this.#hearOfCompanion(detail), { signal });
    this.#reckon();
    document.dispatchEvent(new CustomEvent("mf:ask"));
  }

  disconnectedCallback() {
    this.#listening.abort();
  }

  #hearOfStay(detail) {
    const nights = Number(detail?.nights);
    if (!(nights >= 1 && nights <= 28)) return;
    this.#days.value = nights;
    this.#reckon(typeof detail.title === "string" ? ` at ${detail.title}` : "");
  }

  #hearOfCompanion(detail) {
    for (const row of this.querySelectorAll("tbody tr")) {
      row.querySelector("small")?.remove();
      if (detail?.kind && row.dataset.welcomes === detail.kind) row.cells[0].append(make("small", { textContent: `likes a ${detail.kind}` }));
    }
  }

  #reckon(where = "") {
    const days = Math.min(28, Math.max(1, Math.trunc(Number(this.#days.value)) || 1));
    const km = Number(this.#km.value);
    this.#far.textContent = `How far: ${km} km`;
    const table = this.querySelector("table");
    table.caption.setAttribute("aria-live", "polite");
    table.caption.textContent = `${some(days, "day")}${where}, ${km} km of coast road, fuel and all`;
    for (const row of table.tBodies[0].rows) {
      row.cells[2].textContent = `€${Number(row.dataset.price) * days + Math.ceil((Number(row.dataset.fuel) * km) / 100)}`;
    }
  }
}

if (!customElements.get("cars-estimate")) customElements.define("cars-estimate", Estimate);
