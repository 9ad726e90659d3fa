// The calculator goes on from what the server rendered: React takes the same elements over, and says on the bus what is
// wished for. A portal calls `hydrate` or `mount` with where we live (`base`) and its bus; we know neither beforehand.
import { createElement as h, createRoot, hydrateRoot, useEffect, useState } from "./react.js";

/** The same sum as prices.py, in whole euros. */
export function reckon(stay, { nights, guests }, rules) {
  const room = stay.price * nights;
  const off = nights >= rules.long ? Math.floor(room / 10) : 0;
  const fee = rules.fee * guests * nights;
  return { room, off, fee, total: room - off + fee };
}

const some = (count, noun) => `${count} ${noun}${count > 1 ? "s" : ""}`;
const within = (most, text) => Math.min(most, Math.max(1, Math.trunc(Number(text)) || 1));

function Calculator({ stays, wish: first, rules, base, bus }) {
  const [typed, setTyped] = useState(first);
  const [live, setLive] = useState(false);
  const stay = stays.find((each) => each.id === Number(typed.stay));
  const nights = within(rules.most, typed.nights);
  const guests = within(stay.beds, typed.guests);
  const sum = reckon(stay, { nights, guests }, rules);
  const type = ({ target: { name, value } }) => setTyped((before) => ({ ...before, [name]: value }));

  useEffect(() => setLive(true), []);
  useEffect(() => {
    const tell = () => bus.emit("state:stay", { id: stay.id, title: stay.name, city: stay.city, nights, guests, total: sum.total });
    const asked = new AbortController();
    bus.on("ask", tell, { signal: asked.signal });
    tell();
    return () => asked.abort();
  }, [stay.id, nights, guests]);

  const number = (name, label, most) =>
    h("label", null, label, h("input", { type: "number", name, min: 1, max: most, value: typed[name], required: true, onChange: type }));
  const row = (label, euros, props) => h("tr", { key: label, ...props }, h("th", { scope: "row" }, label), h("td", null, euros));

  return [
    h(
      "form",
      { key: "form", className: "hotels-sum-form", action: `${base}price`, method: "get" },
      h(
        "label",
        { className: "hotels-sum-wide" },
        "Where",
        h("select", { name: "stay", value: typed.stay, onChange: type }, stays.map((each) => h("option", { key: each.id, value: each.id }, `${each.name}, ${each.city}`))),
      ),
      number("nights", "Nights", rules.most),
      number("guests", "Guests", stay.beds),
      // As long as nothing listens, the button asks the server; then the sum is there before anyone could press it.
      live
        ? h("button", { className: "hotels-sum-go hotels-sum-again", type: "button", onClick: () => setTyped(first) }, "Start again")
        : h("button", { className: "hotels-sum-go", type: "submit" }, "Work it out"),
    ),
    h(
      "table",
      { key: "table", className: "hotels-sum-table" },
      h("caption", live ? { "aria-live": "polite" } : null, `${some(nights, "night")}, ${some(guests, "guest")}`),
      h(
        "tbody",
        null,
        row("Room", `€${sum.room}`),
        row("A tenth off", sum.off ? `−€${sum.off}` : `from ${rules.long} nights`),
        row("Harbour fee", `€${sum.fee}`),
        row("Together", `€${sum.total}`, { className: "hotels-sum-total" }),
      ),
    ),
    h("p", { key: "next", className: "hotels-sum-next" }, h("a", { href: `${base}stay/${stay.id}` }, `Book ${stay.name}`)),
  ];
}

function application(el, { base, bus }) {
  const told = JSON.parse(el.querySelector("[data-hotels-sum-told]").textContent);
  return [el.querySelector("[data-hotels-sum]"), h(Calculator, { ...told, base, bus })];
}

export function hydrate(el, ctx) {
  const root = hydrateRoot(...application(el, ctx));
  return () => root.unmount();
}

export function mount(el, ctx) {
  const [place, calculator] = application(el, ctx);
  const root = createRoot(place);
  root.render(calculator);
  return () => root.unmount();
}
