// The browser code: Vite's dev servers for the panel and the pages, and builds of the widget.

import { realpathSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import react from "@vitejs/plugin-react";
import { build, createLogger, createServer } from "vite";
import { nonce } from "./page.mjs";

/** The site's stylesheet, which the stage of an editor has, too. */
const siteStyle = /web\/src\/bramble\.css$/;

/**
 * @param {string} root the repository
 * @param {string} folder for caches
 * @param {import("./report.mjs").Report} report
 */
export async function createPanel(root, folder, report) {
  return serve("panel", root, folder, report, {
    root: join(root, "panel"),
    base: "/panel/",
    plugins: [react(), withoutMaps()],
  });
}

/**
 * Leaves out the source maps of packages. That of the Design System has 12 MB, and is read
 * again whenever the panel is loaded again.
 */
function withoutMaps() {
  return {
    name: "dev:without-maps",
    transform: {
      filter: { id: /\/vite\/panel\/deps\// },
      handler: (code) => ({ code, map: { mappings: "" } }),
    },
  };
}

/**
 * The modules and styles of web/src at /web/, under the names that the pages know them by.
 * @param {(vite: object) => void} started is called at each start of Vite: when its
 *   configuration is saved, it starts again
 */
export async function createPages(root, folder, report, started) {
  return serve("web", root, folder, report, {
    root: join(root, "web/src"),
    base: "/web/",
    publicDir: join(root, "web/public"),
    optimizeDeps: { entries: ["*.ts", "!*.test.ts"] }, // the pages are not here
    plugins: [
      {
        name: "dev",
        // The sandboxed stage of the editor has the origin "null". A build allows every origin.
        config: () => ({ server: { cors: { origin: "null" } } }),
        configureServer: started,
        hotUpdate({ file, server }) {
          if (this.environment.name === "client" && siteStyle.test(file)) {
            server.ws.send("dev:widget");
          }
        },
      },
    ],
  });
}

async function serve(name, root, folder, report, options) {
  // Vite takes the sockets of this server; the fronts pass them on to it.
  const sockets = new http.Server();
  const vite = await createServer({
    configFile: join(root, name, "vite.config.ts"),
    appType: "custom",
    cacheDir: join(folder, name),
    customLogger: logger(name, report),
    html: { cspNonce: nonce },
    server: {
      middlewareMode: true,
      hmr: { server: sockets },
      fs: { allow: [root, realpathSync(join(root, "node_modules"))] },
    },
    ...options,
  });
  return { vite, sockets, base: options.base };
}

/** Says what Vite replaces in a line of ours, and its errors whole. */
function logger(name, report) {
  const vite = createLogger("info");
  return {
    ...vite,
    info(message) {
      const [, what, file] = /(hmr update|page reload) (\S+)/.exec(plain(message)) ?? [];
      if (what) {
        const where = what === "page reload" ? "page reloaded" : "replaced in the page";
        report.line(`${name}: ${file.replace(/^\/+/, "")}`, where);
      }
    },
    warn: (message) => report.text(plain(message)),
    warnOnce: (message) => report.text(plain(message)),
    error: (message) => report.text(plain(message)),
  };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the colors of a terminal
const plain = (message) => message.replace(/\u001b\[[0-9;]*m/g, "");

/** Builds the widget, and its class without a tag, and returns their files by name. */
export async function buildWidget(root) {
  const built = await Promise.all(
    ["production", "class"].map((mode) =>
      build({
        configFile: join(root, "widget/vite.config.ts"),
        mode,
        logLevel: "silent",
        build: { write: false, minify: false, sourcemap: "inline" },
      }),
    ),
  );
  const files = built.flatMap(({ output }) => output);
  return new Map(files.map((file) => [file.fileName, file.code ?? file.source]));
}
