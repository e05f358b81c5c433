// Lets the panel's page paint an outline before the Design System has loaded. Only the outline's few rules block the
// first paint. The Design System's stylesheet is preloaded, and the script applies it before it renders the panel.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Plugin } from "vite";

export function firstPaint(file: string): Plugin {
  return {
    name: "first-paint",
    apply: "build",
    enforce: "post",
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        const source = readFileSync(file, "utf8");
        const hash = createHash("sha256").update(source).digest("hex").slice(0, 16);
        const fileName = `assets/first-${hash}.css`;
        this.emitFile({ type: "asset", fileName, source });
        const page = bundle["index.html"];
        const link = /<link rel="stylesheet" crossorigin href="([^"]+)">/;
        if (page?.type !== "asset" || !link.test(String(page.source))) {
          this.error("index.html has no stylesheet to defer");
        }
        page.source = String(page.source).replace(
          link,
          `<link rel="stylesheet" href="./${fileName}">\n    <link rel="preload" as="style" crossorigin href="$1">`,
        );
      },
    },
  };
}
