import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const api = process.env.API;

export default defineConfig({
  plugins: [react()],
  build: { assetsInlineLimit: 0 },
  server: { proxy: api ? { "/api": api } : {} },
});
