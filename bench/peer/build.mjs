// Bundles the peer's widget and panel, and the hand-written element, with Vite in the
// settings of our own bundles, and weighs files as the server would send them.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { build } from "vite";

const here = import.meta.dirname;

/** Bundles one source into a folder. */
export function bundle(source, outDir) {
  return build({
    root: here,
    configFile: false,
    publicDir: false,
    logLevel: "error",
    build: {
      outDir,
      emptyOutDir: true,
      target: "es2022",
      modulePreload: false,
      assetsInlineLimit: 0,
      cssCodeSplit: false,
      rolldownOptions: {
        input: join(here, source),
        onwarn: () => {}, // "use client" means nothing here
        output: { format: "es", entryFileNames: "[name].js", codeSplitting: false },
      },
    },
  });
}

/** The bytes of a folder's scripts and style sheets. */
export function weigh(dir, counts = (name) => /\.(js|css)$/.test(name)) {
  const sum = { br: 0, gz: 0 };
  for (const name of readdirSync(dir, { recursive: true }).filter(counts)) {
    const body = readFileSync(join(dir, name));
    sum.br += brotliCompressSync(body).length;
    sum.gz += gzipSync(body, { level: 9 }).length;
  }
  return sum;
}
