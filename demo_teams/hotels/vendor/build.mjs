// Makes ../static/react.js anew: React and its DOM renderer as one module, so that nobody needs npm to run this team.
//
//     cd demo_teams/hotels/vendor && npm ci && node build.mjs
//
// What is written is kept in the repository, with the licence beside it. Our own application, ../static/price.js, is
// served as it is written.
import { copyFile, readFile, stat } from "node:fs/promises";
import { build } from "esbuild";

const { devDependencies: pinned } = JSON.parse(await readFile("package.json", "utf-8"));
const outfile = "../static/react.js";
await build({
  entryPoints: ["react.mjs"],
  outfile,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  legalComments: "none",
  define: { "process.env.NODE_ENV": '"production"' },
  banner: { js: `// React ${pinned.react}, MIT: see react.LICENSE.txt. Made by vendor/build.mjs.` },
});
await copyFile("node_modules/react/LICENSE", "../static/react.LICENSE.txt");
console.log(`${outfile}: ${(await stat(outfile)).size} bytes`);
