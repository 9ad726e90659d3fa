// Wishes above the list: what does not fit them is put aside. Without JavaScript all cars are shown, and no wishes.
const WISHES = [
  ["Electric", (card) => card.dataset.drive === "electric"],
  ["Five seats or more", (card) => Number(card.dataset.seats) >= 5],
  ["Just two of us", (card) => Number(card.dataset.seats) === 2],
];

function wishOf([label, fits]) {
  const wish = document.createElement("label");
  const box = document.createElement("input");
  box.type = "checkbox";
  wish.append(box, label);
  return { wish, box, fits };
}

export function sift(main) {
  const form = main.querySelector("[data-cars-sift]");
  if (!form) return;
  const wishes = WISHES.map(wishOf);
  const cards = [...main.querySelectorAll(".cars-card")];
  form.replaceChildren(...wishes.map(({ wish }) => wish));
  form.hidden = false;
  form.addEventListener("change", () => {
    const wanted = wishes.filter(({ box }) => box.checked);
    for (const card of cards) card.hidden = !wanted.every(({ fits }) => fits(card));
    main.querySelector("[data-cars-none]").hidden = cards.some((card) => !card.hidden);
  });
}
