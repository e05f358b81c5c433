// Builds the settings panel: a page that works under any path and loads nothing from other servers.
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";
import { defineConfig } from "vite";
import app from "../app.json" with { type: "json" };
import { firstPaint } from "./firstpaint.ts";
import { purgeDesignSystem } from "./purge.ts";

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "./",
  plugins: [
    nameProduct(),
    shakeStylableModules(),
    purgeDesignSystem(),
    firstPaint(fileURLToPath(new URL("src/first.css", import.meta.url))),
    keepFolder(),
  ],
  resolve: {
    alias: [
      ...["overlayscrollbars", "color", "gradient-parser", "deep-equal"].map((name) => ({
        find: name,
        replacement: standIn(name),
      })),
      { find: "@hypnosphi/create-react-context", replacement: standIn("create-react-context") },
      { find: /^\.\.\/HorizontalScroll$/, replacement: standIn("HorizontalScroll") },
    ],
  },
  css: { postcss: { plugins: [dropFonts(), bindTokens()] } },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    rolldownOptions: {
      // "use client" means nothing outside a React server.
      onwarn: (warning, warn) => {
        if (warning.code !== "MODULE_LEVEL_DIRECTIVE") {
          warn(warning);
        }
      },
      output: {
        hashCharacters: "hex",
        entryFileNames: "assets/[name]-[hash:16].js",
        chunkFileNames: "assets/[name]-[hash:16].js",
        assetFileNames: "assets/[name]-[hash:16][extname]",
      },
    },
  },
});

function standIn(name: string): string {
  return fileURLToPath(new URL(`src/standins/${name}.ts`, import.meta.url));
}

/** Puts the product's name into the page. */
function nameProduct(): Plugin {
  return {
    name: "name-product",
    transformIndexHtml: (html) => html.replaceAll("%name%", app.name),
  };
}

/** The Design System marks its *.st.css.js modules as having side effects. They only name classes; styles.ts has the rules. */
function shakeStylableModules(): Plugin {
  return {
    name: "shake-stylable-modules",
    transform: {
      filter: { id: /@wix\/design-system\/.*\.st\.css\.js$/ },
      handler: (code) => ({ code, moduleSideEffects: false }),
    },
  };
}

/** Emptying the folder deletes the .gitkeep too, which Go needs to embed the folder before a build. */
function keepFolder(): Plugin {
  return {
    name: "keep-folder",
    generateBundle() {
      this.emitFile({ type: "asset", fileName: ".gitkeep", source: "" });
    },
  };
}

/** The font files are on Wix's CDN, and the panel loads nothing from other servers. The system's fonts are used. */
function dropFonts() {
  return {
    postcssPlugin: "drop-fonts",
    AtRule: { "font-face": (rule: { remove(): void }) => rule.remove() },
  };
}

/** Limits a token stylesheet to the html element's data-tokens, without a higher specificity of its rules. */
function bindTokens() {
  const bound = new WeakSet<object>();
  return {
    postcssPlugin: "bind-tokens",
    Rule(rule: { selectors: string[]; parent?: unknown; source?: { input: { file?: string } } }) {
      const set = /tokens-(default|studio)\.global\.css$/.exec(rule.source?.input.file ?? "")?.[1];
      if (!set || bound.has(rule) || isKeyframe(rule.parent)) {
        return;
      }
      bound.add(rule);
      const html = `:where([data-tokens=${set}])`;
      rule.selectors = rule.selectors.map((selector) =>
        selector.startsWith(":root") ? `${selector}${html}` : `${html} ${selector}`,
      );
    },
  };
}

function isKeyframe(parent: unknown): boolean {
  const { type, name } = (parent ?? {}) as { type?: string; name?: string };
  return type === "atrule" && /keyframes$/.test(name ?? "");
}
