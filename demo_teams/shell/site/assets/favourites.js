// Shows what the header keeps. Asks with mf:ask, listens to mf:state, takes out by saying the same event again.
function row(kind, item) {
  const line = document.createElement("li");
  const link = document.createElement("a");
  const note = document.createElement("span");
  const remove = document.createElement("button");
  link.textContent = item.title || item.id;
  if (/^\/(?!\/)/.test(item.href)) link.href = item.href;
  note.textContent = item.note;
  remove.type = "button";
  remove.textContent = "Remove";
  remove.setAttribute("aria-label", `Remove ${link.textContent}`);
  remove.addEventListener("click", () => document.dispatchEvent(new CustomEvent(`mf:${kind}`, { detail: item })));
  line.append(link, note, remove);
  return line;
}

document.addEventListener("mf:state", ({ detail }) => {
  for (const [kind, items] of Object.entries(detail)) {
    const list = document.querySelector(`[data-shell-kept="${kind}"]`);
    list.replaceChildren(...items.map((item) => row(kind, item)));
    list.hidden = items.length === 0;
    document.querySelector(`[data-shell-empty="${kind}"]`).hidden = items.length > 0;
  }
});
document.dispatchEvent(new CustomEvent("mf:ask"));
