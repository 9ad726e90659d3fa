// The pets team: node:http, and Vue for one fragment. Writes the first paint of every page, answers its own API, serves
// its files.
// It lives at "/" and knows no other place. HOST and PORT say where it listens.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import { extname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { draw } from "./art.mjs";
import { KINDS, LETTERS, PETS, byId } from "./pets.mjs";
import { AGES, find } from "./public/find.mjs";
import { application } from "./public/finder.mjs";
import * as views from "./public/views.mjs";
import { renderToString } from "./vue-server.mjs";

const TYPES = { ".mjs": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".txt": "text/plain" };
const SHARED = "public, max-age=0, s-maxage=30, stale-while-revalidate=300, stale-if-error=86400";
const MOST_BODY = 8192;
const here = (path) => path; // we live at "/": a path is its own address
const folder = new URL("public/", import.meta.url);
const files = new Map(readdirSync(folder).map((name) => [name, readFileSync(new URL(name, folder))]));
let delay = 0;

const page = ({ title, html }) => `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>${views.escape(title)} · Adopt</title>
  <meta name="color-scheme" content="light dark">
  <link rel="icon" href="/public/icon.svg" type="image/svg+xml">
  <link rel="stylesheet" href="/public/adoptable.css">
  <link rel="stylesheet" href="/public/pets.css">
  <link rel="modulepreload" href="/public/views.mjs">
  <script type="module" src="/public/app.mjs"></script>
</head>
<body class="pets-body">
  <a class="pets-skip" href="#main">Skip to the content</a>
  <mf-slot name="shell.header"><nav class="pets-plain" aria-label="Site"><a href="/">Looking for a home</a></nav></mf-slot>
  <main class="pets-page" id="main">${html}</main>
  <mf-slot name="shell.footer"></mf-slot>
</body>
</html>
`;

const adoptable = () => `<link rel="stylesheet" href="/public/adoptable.css">
<section class="pets-adoptable" aria-labelledby="pets-adoptable-title">
  <div class="pets-adoptable-head">
    <h2 class="pets-adoptable-title" id="pets-adoptable-title">Looking for a home</h2>
    <a class="pets-more" href="/">All animals</a>
  </div>
  <div class="pets-grid">${[8, 2, 3, 9].map((id) => views.card(byId(id), here, "h3")).join("")}</div>
</section>
<script type="module" src="/public/save.mjs"></script>
`;

const inScript = (value) => JSON.stringify(value).replaceAll("<", "\\u003c");

async function finder(url) {
  const told = { pets: PETS.map(({ id, name, kind, age, line, needs }) => ({ id, name, kind, age, line, needs })), wish: wished(url) };
  const app = application({ ...told, base: here("/"), bus: null });
  return `<link rel="stylesheet" href="/public/adoptable.css">
<link rel="stylesheet" href="/public/finder.css">
<section class="pets-find" aria-labelledby="pets-find-title">
  <h2 class="pets-find-title" id="pets-find-title">Find your animal</h2>
  <div data-pets-find>${await renderToString(app)}</div>
  <script type="application/json" data-pets-find-told>${inScript(told)}</script>
</section>
<script type="module" mf-mount src="/public/finder.mjs"></script>
`;
}

const letters = () => `<link rel="stylesheet" href="/public/letters.css">
<section aria-labelledby="letters">
  <h2 id="letters">Letters from new homes</h2>
  <ul class="cards">${LETTERS.map(
    ([id, text]) => `
    <li class="card"><p>“${views.escape(text)}” <a href="${here(`/pet/${id}`)}">${views.escape(byId(id).name)}</a></p></li>`,
  ).join("")}
  </ul>
</section>
`;

const html = (body, status = 200, cached = "no-cache") => ({ status, type: "text/html; charset=utf-8", cached, body });
const json = (value) => ({ status: 200, type: "application/json", cached: "no-cache", body: JSON.stringify(value) });
const lost = () => html(page(views.lost(here)), 404);

const greetedIn = (request) => new Set(/(?:^|; )pets_greeted=([\d.]*)/.exec(request.headers.cookie ?? "")?.[1].split("."));

function wished(url) {
  const [kind, age, word] = ["kind", "age", "word"].map((name) => url.searchParams.get(name) ?? "");
  return { kind: KINDS.includes(kind) ? kind : "", age: age in AGES ? age : "", word: word.slice(0, 40) };
}

function listed(url) {
  const wish = wished(url);
  return { pets: find(PETS, wish), kinds: KINDS, kind: wish.kind };
}

function met(id, request) {
  const pet = byId(id);
  return pet && { pet: { ...pet, greeted: greetedIn(request).has(String(pet.id)) } };
}

async function hello(id, request) {
  const form = new URLSearchParams(await read(request));
  if (!byId(id)) return lost();
  if (!form.get("name")?.trim()) return { status: 303, location: `/pet/${id}` };
  const greeted = greetedIn(request).add(String(id));
  greeted.delete("");
  const cookie = `pets_greeted=${[...greeted].slice(-20).join(".")}; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax`;
  return { status: 303, location: `/pet/${id}`, cookie };
}

async function read(request) {
  const pieces = [];
  let size = 0;
  for await (const piece of request) {
    size += piece.length;
    if (size > MOST_BODY) throw Object.assign(new Error("too large"), { status: 413 });
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}

function slow(url) {
  delay = Math.min(30, Math.max(0, Number(url.searchParams.get("seconds")) || 0));
  return { status: 200, type: "text/plain", cached: "no-store", body: `${delay}\n` };
}

const file = (name) =>
  files.has(name) ? { status: 200, type: `${TYPES[extname(name)]}; charset=utf-8`, cached: "public, max-age=0, must-revalidate", body: files.get(name) } : lost();

const orLost = (told, made) => (told ? made(told) : lost());
const GET = [
  [/^\/$/, (_, request, url) => html(page(views.list(listed(url), here)))],
  [/^\/pet\/(\d{1,6})$/, (id, request) => orLost(met(id, request), (told) => html(page(views.detail(told, here))))],
  [/^\/api\/pets$/, (_, request, url) => json(listed(url))],
  [/^\/api\/pets\/(\d{1,6})$/, (id, request) => orLost(met(id, request), json)],
  [/^\/portrait\/(\d{1,6})\.svg$/, (id) => orLost(byId(id), (pet) => ({ status: 200, type: "image/svg+xml", cached: "public, max-age=86400", body: draw(pet) }))],
  [/^\/fragments\/adoptable$/, () => html(adoptable(), 200, SHARED)],
  [/^\/fragments\/finder$/, async (_, request, url) => html(await finder(url), 200, SHARED)],
  [/^\/fragments\/letters$/, () => html(letters(), 200, SHARED)],
  [/^\/public\/([\w.-]+)$/, file],
  [/^\/healthz$/, () => ({ status: 200, type: "text/plain", cached: "no-store", body: "ok\n" })],
];
const POST = [
  [/^\/pet\/(\d{1,6})\/hello$/, hello],
  ...(process.env.DEMO_CONTROL === "1" ? [[/^\/__demo\/slow$/, (_, request, url) => slow(url)]] : []),
];
const METHODS = { GET, HEAD: GET, POST };

async function answer(request) {
  await sleep(delay * 1000);
  const routes = METHODS[request.method];
  if (!routes) return { status: 405, type: "text/plain", cached: "no-store", body: "Method not allowed\n" };
  const url = new URL(request.url.replace(/^\/+/, "/"), "http://pets");
  for (const [pattern, made] of routes) {
    const match = pattern.exec(url.pathname);
    if (match) return made(match[1], request, url);
  }
  return lost();
}

function send(request, response, { status, type, cached, body = "", location, cookie }) {
  const headers = { "Content-Length": Buffer.byteLength(body) };
  if (type) headers["Content-Type"] = type;
  if (cached) headers["Cache-Control"] = cached;
  if (location) headers.Location = location;
  if (cookie) headers["Set-Cookie"] = cookie;
  if (status === 200 && (request.method === "GET" || request.method === "HEAD")) {
    headers.ETag = `"${createHash("sha256").update(body).digest("hex").slice(0, 32)}"`;
    if (request.headers["if-none-match"]?.includes(headers.ETag)) {
      delete headers["Content-Length"];
      response.writeHead(304, headers).end();
      return;
    }
  }
  response.writeHead(status, headers).end(request.method === "HEAD" ? undefined : body);
}

const server = createServer(async (request, response) => {
  try {
    send(request, response, await answer(request));
  } catch (error) {
    if (response.headersSent || response.destroyed) return;
    response.setHeader("Connection", "close");
    send(request, response, { status: error.status ?? 500, type: "text/plain", cached: "no-store", body: "Something went wrong\n" });
  }
});
server.keepAliveTimeout = 75_000;
server.listen(Number(process.env.PORT ?? 8000), process.env.HOST ?? "127.0.0.1", () => {
  console.log(`pets on http://${server.address().address}:${server.address().port}, ${PETS.length} animals`);
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));
