// The two addresses, and what make dev answers there itself: the browser code.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createFront } from "./front.mjs";

/** At this path an address says which folder it serves. */
export const folderPath = "/@dev/folder";

/** Where the pages of the offline Wix have their scripts and styles; the app has them at /web/. */
const assets = "/_sim/assets/";

/**
 * @param {object} options
 * @param {string} options.root the repository
 * @param {{ app: object, wix: object }} options.programs
 * @param {object} options.panel
 * @param {object} options.pages Vite's servers
 * @param {() => Map<string, string>} options.widget the files of the built widget
 * @param {import("./report.mjs").Report} options.report
 */
export function createFronts({ root, programs, panel, pages, widget, report }) {
  const common = {
    client: `${pages.base}@fs${join(import.meta.dirname, "client.js")}`,
    problem: () => report.problem,
    socket: (request) => [panel, pages].find(({ base }) => base === pathOf(request))?.sockets,
  };
  const app = createFront({
    ...common,
    service: programs.app,
    own: async (request, response) => {
      const path = pathOf(request);
      if (path === folderPath) {
        response.end(root);
        return true;
      }
      return (
        serveWidget(path, response, widget()) ||
        (await serve(pages, request, response, source(path))) ||
        (!isPanel(path) && (await serve(panel, request, response, path)))
      );
    },
    page: (path) => (isPanel(path) ? panelPage(root, panel.vite) : undefined),
  });
  const wix = createFront({
    ...common,
    service: programs.wix,
    own: (request, response) => {
      const path = pathOf(request);
      const known = path.startsWith(assets) ? pages.base + path.slice(assets.length) : path;
      return serve(pages, request, response, source(known));
    },
    page: () => undefined,
  });
  return { app, wix };
}

function pathOf(request) {
  return new URL(request.url, "http://front").pathname;
}

/** The pages know their scripts by the names of a build. */
export function source(path) {
  return path.replace(/^(\/web\/[\w-]+)\.js$/, "$1.ts");
}

function isPanel(path) {
  return path === "/panel/" || path === "/demo/panel/";
}

/** The panel's page, whose addresses are right at both of its paths. */
function panelPage(root, vite) {
  const html = readFileSync(join(root, "panel/index.html"), "utf8");
  return vite.transformIndexHtml("/index.html", html.replaceAll('"./src/', '"/src/'));
}

/** Has Vite answer a request for a path below its base. */
async function serve({ vite, base }, request, response, path) {
  if (!path.startsWith(base)) {
    return false;
  }
  const { url } = request;
  request.url = path + new URL(url, "http://front").search;
  return new Promise((resolve) => {
    response.once("close", () => resolve(true));
    vite.middlewares(request, response, () => {
      request.url = url;
      resolve(false);
    });
  });
}

function serveWidget(path, response, files) {
  const [, name = ""] = /^(?:\/demo)?\/(?:widget\/)?([^/]+)$/.exec(path) ?? [];
  // The program that make dev builds does not know the hash in the thumbnail's name.
  const known = name.startsWith("thumbnail-")
    ? [...files.keys()].find((file) => file.startsWith("thumbnail-"))
    : name;
  const body = files.get(known);
  if (body === undefined) {
    return false;
  }
  response.writeHead(200, {
    "Content-Type": name.endsWith(".svg") ? "image/svg+xml" : "text/javascript; charset=utf-8",
    "Cache-Control": "no-store",
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
  });
  response.end(body);
  return true;
}
