// What our server takes of Vue's renderer: this, bundled, is ../vue-server.mjs.
export { renderToString } from "@vue/server-renderer";
