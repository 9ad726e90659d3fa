// Who fits a wish: the server and the browser ask alike. A wish is {kind, age, word}, each a string, empty for anything.
export const AGES = { young: "Still growing", grown: "Grown up", old: "Of some years" };

const years = ({ age }) => (age.includes("month") ? 0 : Number.parseInt(age, 10));
const ageOf = (pet) => (years(pet) < 2 ? "young" : years(pet) < 8 ? "grown" : "old");

export function find(pets, { kind = "", age = "", word = "" }) {
  const wanted = word.trim().toLowerCase();
  return pets.filter(
    (pet) =>
      (!kind || pet.kind === kind) &&
      (!age || ageOf(pet) === age) &&
      (!wanted || `${pet.name} ${pet.line} ${pet.needs.join(" ")}`.toLowerCase().includes(wanted)),
  );
}
