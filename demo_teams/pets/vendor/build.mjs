// Makes ../public/vue.mjs and ../vue-server.mjs anew: Vue's runtime as one module that our server and browsers share, and
// its renderer to text, which imports the first and stays on the server. So nobody needs npm to run this team.
//
//     cd demo_teams/pets/vendor && npm ci && node build.mjs
//
// What is written is kept in the repository, with the licence beside it. Our own component, ../public/finder.mjs, is
// served as it is written.
import { copyFile, readFile, stat } from "node:fs/promises";
import { build } from "esbuild";

const { devDependencies: pinned } = JSON.parse(await readFile("package.json", "utf-8"));
const runtime = "../public/vue.mjs";
const renderer = "../vue-server.mjs";
const settings = {
  bundle: true,
  minify: true,
  format: "esm",
  mainFields: ["module", "main"],
  target: "es2022",
  legalComments: "none",
  define: {
    "process.env.NODE_ENV": '"production"',
    __VUE_OPTIONS_API__: "false",
    __VUE_PROD_DEVTOOLS__: "false",
    __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false",
  },
  banner: { js: `// Vue ${pinned.vue}, MIT: see public/vue.LICENSE.txt. Made by vendor/build.mjs.` },
};
const shared = {
  name: "the runtime is shared",
  setup({ onResolve }) {
    onResolve({ filter: /^(?:vue|@vue\/runtime-dom)$/ }, () => ({ path: "./public/vue.mjs", external: true }));
  },
};

await build({ ...settings, entryPoints: ["vue.mjs"], outfile: runtime });
await build({
  ...settings,
  entryPoints: ["server.mjs"],
  outfile: renderer,
  plugins: [shared],
});
await copyFile("node_modules/vue/LICENSE", "../public/vue.LICENSE.txt");
for (const file of [runtime, renderer]) console.log(`${file}: ${(await stat(file)).size} bytes`);
