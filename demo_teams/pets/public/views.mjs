// What the pages show, as functions from values to HTML: the server writes the first paint with them, the browser every
// further one. `link` says where a path of ours is; whoever calls knows, these functions do not.
const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
export const escape = (text) => String(text).replace(/[&<>"']/g, (mark) => ENTITIES[mark]);

const PLURALS = { dog: "Dogs", cat: "Cats", rabbit: "Rabbits", hen: "Hens", tortoise: "Tortoises" };
const HEART = '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 20.3 4.4 12.8a4.9 4.9 0 0 1 0-7 4.9 4.9 0 0 1 7 0l.6.7.6-.7a4.9 4.9 0 0 1 7 0 4.9 4.9 0 0 1 0 7z"/></svg>';

const save = (pet) =>
  `<button class="pets-save" type="button" hidden data-pets-save data-id="pet-${pet.id}" data-title="${escape(pet.name)}" data-note="${escape(`${pet.kind}, ${pet.age}`)}" aria-pressed="false">${HEART}<span class="pets-word">Keep ${escape(pet.name)}</span></button>`;

const portrait = (pet, link, lazy) =>
  `<img src="${link(`/portrait/${pet.id}.svg`)}" width="400" height="320" alt=""${lazy ? ' loading="lazy"' : ""}>`;

export const card = (pet, link, level = "h2") => `
<article class="pets-card" data-pets-item>
  ${portrait(pet, link, true)}
  <div class="pets-card-text">
    <${level} class="pets-name"><a href="${link(`/pet/${pet.id}`)}">${escape(pet.name)}</a></${level}>
    <p class="pets-kind">${escape(pet.kind)}, ${escape(pet.age)}</p>
    <p class="pets-line">${escape(pet.line)}</p>
  </div>
  ${save(pet)}
</article>`;

const chip = (kind, label, chosen, link) =>
  `<a href="${link(kind ? `/?kind=${encodeURIComponent(kind)}` : "/")}"${kind === chosen ? ' aria-current="true"' : ""}>${label}</a>`;

export function list({ pets, kinds, kind }, link) {
  const cards = pets.map((pet) => card(pet, link)).join("");
  return {
    title: kind ? PLURALS[kind] : "Looking for a home",
    html: `
<section class="pets-top">
  <h1 class="pets-title" tabindex="-1">Looking for a home</h1>
  <p class="pets-lead">Everyone here was found, left or retired somewhere along the quay. Say hello; the rest follows.</p>
  <nav class="pets-chips" aria-label="Kinds">${chip("", "Everyone", kind, link)}${kinds.map((each) => chip(each, PLURALS[each], kind, link)).join("")}</nav>
</section>
<div class="pets-grid">${cards || `<p class="pets-nobody">Nobody is all of that. <a href="${link("/")}">Meet everyone</a></p>`}</div>`,
  };
}

const greeting = (pet, link) => `
<form class="pets-hello" action="${link(`/pet/${pet.id}/hello`)}" method="post" aria-label="Say hello">
  <label>Your name<input name="name" required maxlength="80" autocomplete="name"></label>
  <label>A word to ${escape(pet.name)}<textarea name="word" rows="3" maxlength="500"></textarea></label>
  <button class="pets-button" type="submit">Say hello</button>
</form>`;

const greeted = (pet, link) => `
<div class="pets-hello" role="status">
  <p class="pets-thanks">${escape(pet.name)} got your hello.</p>
  <p>The shelter writes back within a day, or two if there is a storm.</p>
  <a class="pets-button" href="${link("/")}">Meet the others</a>
</div>`;

export function detail({ pet }, link) {
  return {
    title: `${pet.name}, ${pet.kind}`,
    html: `
<nav class="pets-crumbs" aria-label="Breadcrumb"><a href="${link("/")}">All animals</a> <span aria-hidden="true">/</span> <a href="${link(`/?kind=${pet.kind}`)}">${PLURALS[pet.kind]}</a></nav>
<article class="pets-pet" data-pets-item>
  <div class="pets-portrait">${portrait(pet, link, false)}${save(pet)}</div>
  <div>
    <p class="pets-kind">${escape(pet.kind)}, ${escape(pet.age)}</p>
    <h1 class="pets-title" tabindex="-1"><a href="${link(`/pet/${pet.id}`)}">${escape(pet.name)}</a></h1>
    <p class="pets-lead">${escape(pet.line)}</p>
    <p>${escape(pet.story)}</p>
    <h2 class="pets-sub">Would like</h2>
    <ul class="pets-needs">${pet.needs.map((need) => `<li>${escape(need)}</li>`).join("")}</ul>
    ${pet.greeted ? greeted(pet, link) : greeting(pet, link)}
  </div>
</article>`,
  };
}

export function lost(link) {
  return {
    title: "Not found",
    html: `
<div class="pets-lost">
  <svg viewBox="0 0 120 100" aria-hidden="true" fill="var(--pets-accent)"><ellipse cx="60" cy="66" rx="26" ry="22"/><ellipse cx="24" cy="46" rx="11" ry="15"/><ellipse cx="46" cy="24" rx="11" ry="16"/><ellipse cx="76" cy="24" rx="11" ry="16"/><ellipse cx="97" cy="46" rx="11" ry="15"/></svg>
  <h1 class="pets-title" tabindex="-1">Ran off</h1>
  <p>Whoever lived at this address has run off. It happens, with animals.</p>
  <a class="pets-button" href="${link("/")}">Back to the others</a>
</div>`,
  };
}
