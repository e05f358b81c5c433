// Says from the paths of saved files what has to be done again.

/** Files that make generate writes. They change with their sources, which are watched. */
const generated = /(_templ|\.gen)\.go$|\.gen\.ts$/;
/** The sources of make generate, but for templates. */
const declared = /^(app\.json|backend\/business\/settings\.go)$/;
const tested = /_test\.go$|\.test\.tsx?$|(^|\/)testdata\//;
const template = /^web\/[^/]+\.templ$/;
const go = /^(backend\/.+|web\/[^/]+\.go|[^/]+\.go|go\.(mod|sum))$/;
/** What the offline Wix is made from. The rest of the Go code is the app's alone. */
const wix =
  /^(backend\/(app|assets|cmd|product|wixpages|wixsim)\/.+|web\/.+|[^/]+\.go|app\.json|go\.(mod|sum))$/;
const widget = /^(widget\/(?!dist\/).+|app\.json)$/;

/** What the watcher looks at, besides what Vite looks at by itself. */
export const watched = ["backend", "web", "widget", "app.json", "go.mod", "go.sum"];

/** Whether a file that is saved calls for anything here. */
export function callsForWork(path) {
  const { generate, templates, go, widget } = workFor([path]);
  return generate || go || widget || templates.length > 0;
}

/**
 * @param {Iterable<string>} paths relative to the repository, with slashes
 * @returns what they call for: make generate, templates to generate alone, a build of the Go
 *   program, a new offline Wix (which shows the pages, too), a build of the widget
 */
export function workFor(paths) {
  const work = { generate: false, templates: [], go: false, wix: false, widget: false };
  for (const path of paths) {
    if (generated.test(path) || tested.test(path)) {
      continue;
    }
    if (template.test(path)) {
      work.templates.push(path);
      continue;
    }
    const declares = declared.test(path);
    work.generate ||= declares;
    work.go ||= declares || go.test(path);
    work.wix ||= (declares || go.test(path)) && wix.test(path);
    work.widget ||= declares || widget.test(path);
  }
  return work;
}
