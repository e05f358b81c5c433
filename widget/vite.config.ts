// Builds the widget into three files: widget.js (the URL that Wix sites refer to), a
// copy with its hash in the name (for pages that pin the script with SRI), and the
// thumbnail for Wix's Add Elements panel. In the mode "class" it builds widget-class.js beside
// them: each of the two scripts is one file, and one build would put what they share into a
// third.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig, type Plugin } from "vite";
import { named, names } from "./names.ts";

const root = import.meta.dirname;

function hashedCopies(): Plugin {
  return {
    name: "hashed-copies",
    generateBundle(_, bundle) {
      const script = bundle["widget.js"];
      if (script?.type !== "chunk" || Object.keys(bundle).length !== 1) {
        this.error(`expected widget.js alone, got ${Object.keys(bundle).join(", ")}`);
      }
      const emit = (name: string, extension: string, source: string) => {
        const hash = createHash("sha256").update(source).digest("hex").slice(0, 16);
        this.emitFile({ type: "asset", fileName: `${name}-${hash}.${extension}`, source });
      };
      emit("widget", "js", script.code);
      emit("thumbnail", "svg", named(readFileSync(join(root, "src/face/thumbnail.svg"), "utf8")));
    },
  };
}

export default defineConfig(({ mode }) => ({
  root,
  publicDir: false,
  plugins: mode === "class" ? [names()] : [names(), hashedCopies()],
  build: {
    outDir: "dist",
    emptyOutDir: mode !== "class",
    modulePreload: false,
    // Not build.lib, because the library mode does not remove whitespace.
    rolldownOptions:
      mode === "class"
        ? {
            input: join(root, "src/class.ts"),
            preserveEntrySignatures: "strict",
            output: { format: "es", entryFileNames: "widget-class.js" },
          }
        : {
            input: join(root, "src/widget.ts"),
            output: { format: "es", entryFileNames: "widget.js" },
          },
  },
}));
