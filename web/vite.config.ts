// Builds the browser code and styles of the pages into web/dist, under names that never
// change: the pages refer to them, and the server gives them an ETag.

import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = fileURLToPath(new URL(".", import.meta.url));
const entry = (name: string) => `${here}src/${name}`;

export default defineConfig({
  root: here,
  base: "./",
  build: {
    outDir: `${here}dist`,
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    rollupOptions: {
      input: {
        home: entry("home.ts"),
        dashboard: entry("dashboard.ts"),
        editor: entry("editor.ts"),
        install: entry("install.ts"),
        sim: entry("sim.ts"),
        site: entry("site.ts"),
        stagepage: entry("stagepage.ts"),
        upgrade: entry("upgrade.ts"),
        style: entry("style.css"),
        bramble: entry("bramble.css"),
      },
      output: {
        entryFileNames: "[name].js",
        chunkFileNames: "[name].js",
        assetFileNames: "[name][extname]",
      },
    },
  },
});
