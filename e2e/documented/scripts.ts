// Serves scripts as their developers would: bundled, from an origin of their own.
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { listen } from "../listen";

interface ScriptOptions {
  /** A module by default, or a classic script. */
  format?: "es" | "iife";
  /** Packages that take the place of those that the script names, such as older versions. */
  alias?: Record<string, string>;
}

/** Bundles a file of this folder and serves it, also in a page. */
export async function serveScript(name: string, { format = "es", alias = {} }: ScriptOptions = {}) {
  const result = await build({
    configFile: false,
    logLevel: "silent",
    resolve: { alias },
    define: { "process.env.NODE_ENV": '"production"' },
    build: {
      write: false,
      rolldownOptions: {
        input: fileURLToPath(new URL(name, import.meta.url)),
        output: { format, codeSplitting: false },
      },
    },
  });
  if (!("output" in result)) {
    throw new Error("vite gave no single output");
  }
  const [{ code }] = result.output;
  const server = await listen((path, response) => {
    const isPage = path.startsWith("/page");
    response.setHeader("Content-Type", isPage ? "text/html" : "text/javascript");
    response.end(isPage ? '<!doctype html><script type="module" src="script.js"></script>' : code);
  });
  const at = (name: string) => `http://${server.host}/${name}`;
  return { url: at("script.js"), page: at("page"), close: server.close };
}
