// What our component takes of Vue, and what its renderer to text takes: this, bundled, is ../public/vue.mjs.
export { computed, createSSRApp, h, onMounted, onUnmounted, ref, watch } from "@vue/runtime-dom";
export {
  Comment,
  Fragment,
  Static,
  Text,
  createApp,
  createVNode,
  handleError,
  initDirectivesForSSR,
  mergeProps,
  ssrContextKey,
  ssrUtils,
  warn,
} from "@vue/runtime-dom";
