// Where we are and what we have. The root is one folder above this module, wherever that is served; the cars are a file.
export const root = new URL("../", import.meta.url);
export const link = (path) => new URL(path.slice(1), root).href.slice(root.origin.length);

let asked;

export function cars() {
  asked ??= fetch(new URL("data/cars.json", root)).then((answer) => {
    if (!answer.ok) throw new Error(`cars.json: ${answer.status}`);
    return answer.json();
  });
  return asked;
}

// "" for the list, a car's id for its page, null for what is not ours to show.
export function placeOf(url) {
  if (url.origin !== root.origin || !url.pathname.startsWith(root.pathname)) return null;
  const path = url.pathname.slice(root.pathname.length);
  return /^(?:index\.html)?$/.test(path) ? "" : (/^car\/([a-z]+)\/$/.exec(path)?.[1] ?? null);
}
