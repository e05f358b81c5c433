// make dev: the app and the offline Wix at two addresses that stay, in front of programs that
// are replaced as their sources are saved.
//
//   Go, templates   a build, then the new program takes over    backend.mjs, service.mjs
//   panel, pages    Vite's dev servers                          browser.mjs
//   widget          a build, then the stage is loaded again     browser.mjs, client.js
//
// What has to last is in .dev, which Git ignores.

import { readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { Backend } from "./backend.mjs";
import { createPages, createPanel } from "./browser.mjs";
import { watched } from "./changes.mjs";
import { createFronts, folderPath } from "./fronts.mjs";
import { createPrograms } from "./programs.mjs";
import { Report } from "./report.mjs";
import { listen, loadState } from "./state.mjs";
import { Work } from "./work.mjs";

const root = join(import.meta.dirname, "../..");
const folder = join(root, ".dev");
const report = new Report(process.stdout);

const { state, save } = loadState(folder);
const urls = {
  get app() {
    return `http://127.0.0.1:${state.app}`;
  },
  get wix() {
    return `http://127.0.0.1:${state.wix}`;
  },
};
if (await runsAlready()) {
  report.text(`make dev runs here already: open ${urls.wix}/editor`);
  process.exit(1);
}
report.text("Building …");

const caches = join(folder, "vite");
const [panel, pages] = await Promise.all([
  createPanel(root, caches, report),
  createPages(root, caches, report, (vite) => {
    report.connect(vite);
    vite.watcher.add(watched.map((path) => join(root, path)));
    vite.watcher.on("all", (event, path) => {
      if (event === "add" || event === "change" || event === "unlink") {
        work.saved(relative(root, path).split(sep).join("/"));
      }
    });
  }),
]);

const { id } = JSON.parse(readFileSync(join(root, "app.json"), "utf8"));
const textsOf = (program) => backend.textsOf(program);
const programs = createPrograms({ root, folder, id, state, urls, textsOf, report });
const backend = new Backend(root, folder, programs);
const work = new Work({ root, backend, report, send: (message) => pages.vite.ws.send(message) });
const widget = () => work.widget;
const fronts = createFronts({ root, programs, panel, pages, widget, report });
state.app = await listen(fronts.app, state.app);
state.wix = await listen(fronts.wix, state.wix);
save();

let stopping = false;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, stop);
}

await work.start();
report.text(`
  Open ${urls.wix}/editor

  It shows the widget on its page, and the settings panel. What you save is seen there.
  The app is at ${urls.app}, the first page of the offline Wix at ${urls.wix}.
  What they store is in .dev: delete that folder to start afresh. Ctrl-C ends them.
`);

/** Ends everything; at the second signal, at once. */
async function stop() {
  if (stopping) {
    process.exit(1);
  }
  stopping = true;
  await Promise.all([programs.app.stop(), programs.wix.stop()]);
  process.exit(0);
}

/** Whether make dev of this folder answers at its address. */
async function runsAlready() {
  try {
    const patience = AbortSignal.timeout(2000);
    const answer = await fetch(`${urls.app}${folderPath}`, { signal: patience });
    return (await answer.text()) === root;
  } catch {
    return false;
  }
}
