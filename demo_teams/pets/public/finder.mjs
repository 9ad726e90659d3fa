// The finder: Vue renders it on the server (../server.mjs), and takes the same elements over in the browser.
// A portal calls `hydrate` or `mount` with where we live (`base`) and its bus; we know neither beforehand.
import { AGES, find } from "./find.mjs";
import { computed, createSSRApp, h, onMounted, ref, watch } from "./vue.mjs";

const SHOWN = 6;
const PLURALS = { dog: "Dogs", cat: "Cats", rabbit: "Rabbits", hen: "Hens", tortoise: "Tortoises" };
const beyond = (count) => (count === 0 ? "Meet everyone" : count > SHOWN ? `See all ${count}` : "See them at the shelter");

export const Finder = {
  props: ["pets", "wish", "base", "bus"],
  setup({ pets, wish, base, bus }) {
    const kind = ref(wish.kind);
    const age = ref(wish.age);
    const word = ref(wish.word);
    const live = ref(false);
    const found = computed(() => find(pets, { kind: kind.value, age: age.value, word: word.value }));
    const address = computed(() => {
      const said = found.value.length ? { kind: kind.value, age: age.value, word: word.value } : {};
      const query = new URLSearchParams(Object.entries(said).filter(([, value]) => value)).toString();
      return query ? `${base}?${query}` : base;
    });

    const forget = () => {
      for (const wanted of [kind, age, word]) wanted.value = "";
    };

    onMounted(() => {
      live.value = true;
      watch(kind, (chosen) => bus.emit("state:companion", { kind: chosen }), { immediate: true });
    });

    const choice = (model, name, label, options) =>
      h("label", [
        label,
        h("select", { name, onChange: ({ target }) => (model.value = target.value) },
          Object.entries({ "": "Any", ...options }).map(([value, told]) => h("option", { value, selected: value === model.value || null }, told)),
        ),
      ]);
    const card = (pet) =>
      h("li", { key: pet.id }, [
        h("img", { src: `${base}portrait/${pet.id}.svg`, width: 72, height: 72, alt: "", loading: "lazy" }),
        h("div", [
          h("h3", { class: "pets-find-name" }, [h("a", { href: `${base}pet/${pet.id}` }, pet.name)]),
          h("p", `${pet.kind}, ${pet.age}`),
        ]),
      ]);

    return () =>
      h("div", { class: "pets-find-app" }, [
        h("form", { class: "pets-find-form", action: base, method: "get" }, [
          choice(kind, "kind", "Kind", PLURALS),
          choice(age, "age", "Age", AGES),
          h("label", ["A word", h("input", { name: "word", value: word.value, placeholder: "garden, stove, quiet…", maxlength: 40, onInput: ({ target }) => (word.value = target.value) })]),
          // As long as nothing listens, the button asks the server; then the answer is there before anyone could press it.
          live.value
            ? h("button", { class: "pets-find-go pets-find-again", type: "button", onClick: forget }, "Anyone")
            : h("button", { class: "pets-find-go", type: "submit" }, "Find"),
        ]),
        h("p", { class: "pets-find-count", role: "status" }, `${found.value.length || "None"} of ${pets.length} would fit.`),
        h("ul", { class: "pets-find-list" }, found.value.slice(0, SHOWN).map(card)),
        h("p", { class: "pets-find-all" }, [h("a", { href: address.value }, beyond(found.value.length))]),
      ]);
  },
};

export const application = (told) => createSSRApp(Finder, told);

export function hydrate(el, { base, bus }) {
  const told = JSON.parse(el.querySelector("[data-pets-find-told]").textContent);
  const app = application({ ...told, base, bus });
  app.mount(el.querySelector("[data-pets-find]"));
  return () => app.unmount();
}

// Where nothing was rendered yet, Vue finds an empty place and fills it.
export const mount = hydrate;
