import { createApp } from "vue";
import { createRouter, createWebHistory } from "vue-router";
import App from "./App.vue";
import Home from "./pages/Home.vue";
import Lost from "./pages/Lost.vue";

const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: "/", component: Home },
    { path: "/list", component: () => import("./pages/List.vue") },
    { path: "/list/:id", component: () => import("./pages/Pet.vue") },
    { path: "/about", component: () => import("./pages/About.vue") },
    { path: "/old", redirect: "/list" },
    { path: "/:rest(.*)*", component: Lost },
  ],
});

createApp(App).use(router).mount("#app");
