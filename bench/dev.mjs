// How long it takes from saving a file to seeing the change in Chromium under make dev, and
// whether site, plan, token and settings outlast it. In a copy of the repository.
//
//   CHROMIUM=… node bench/dev.mjs [ROUNDS]
import { readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { chromium } from "@playwright/test";
import { Scratch } from "../scripts/dev/scratch.mjs";

const rounds = Number(process.argv[2] ?? 7);
const { tag } = JSON.parse(readFileSync("app.json", "utf8"));

// Each returns what to save, and a condition in the page (or its panel) that returns true when
// the n-th change is to be seen.
const stage = `document.querySelector("#canvas iframe")?.contentDocument`;
const widget = `${stage}?.querySelector("${tag}")?.shadowRoot`;
const edits = [
  {
    name: "CSS of the panel",
    file: "panel/src/panel.css",
    change: (text, n) => `${text}\nbody { outline-offset: ${n}px }\n`,
    frame: "panel",
    seen: (n) => `getComputedStyle(document.body).outlineOffset === "${n}px"`,
    most: 300,
  },
  {
    name: "CSS of the pages",
    file: "web/src/style.css",
    change: (text, n) => `${text}\nbody { outline-offset: ${n}px }\n`,
    seen: (n) => `getComputedStyle(document.body).outlineOffset === "${n}px"`,
    most: 300,
  },
  {
    name: "TypeScript of the panel (component)",
    file: "panel/src/components/App.tsx",
    change: (text, n) => text.replace("<main", `$& data-dev="${n}"`),
    frame: "panel",
    seen: (n) => `document.querySelector('[data-dev="${n}"]') !== null`,
    most: 300,
  },
  {
    name: "TypeScript of the panel (start)",
    file: "panel/src/main.tsx",
    change: (text, n) => text.replace("const root =", `document.body.dataset.dev = "${n}";\n$&`),
    frame: "panel",
    seen: (n) => `document.body?.dataset.dev === "${n}"`,
    most: 300,
  },
  {
    name: "TypeScript of the widget",
    file: "widget/src/widget.ts",
    change: (text, n) => `${text}\ndocument.body.dataset.dev = "${n}";\n`,
    seen: (n) => `${stage}?.body?.dataset.dev === "${n}"`,
    most: 300,
  },
  {
    name: "Go: the app's answer",
    file: "backend/business/business.go",
    change: (text, n) =>
      text.replace(
        /^func answerOf.*$/m,
        `func answerOf(c kit.Call) any {\n\tv := c.View()\n\tv.SiteDisplayName = "Go ${n}"\n\treturn answer{"Success", c.Instance.Settings, v}\n}`,
      ),
    seen: (n) => `${widget}?.textContent.includes("Go ${n}")`,
    most: 2000,
  },
  {
    name: "Go: the server",
    file: "backend/api/health.go",
    change: (text, n) => text.replace('"ok"', `"ok ${n}"`),
    path: "/healthz",
    seen: (n) => `(body) => body.includes("ok ${n}")`,
    most: 2000,
  },
  {
    name: "templ: text",
    file: "web/editor.templ",
    change: (text, n) => text.replace("Offline editor", `Offline editor ${n}`),
    seen: (n) => `document.querySelector("h1")?.textContent.includes("editor ${n}")`,
    most: 2000,
  },
  {
    name: "templ: Go",
    file: "web/editor.templ",
    change: (text, n) => text.replace("Offline editor", `Offline { "editor ${n}" }`),
    seen: (n) => `document.querySelector("h1")?.textContent.includes("editor ${n}")`,
    most: 2000,
  },
  {
    name: "a setting's default",
    file: "backend/business/settings.go",
    change: (text, n) => text.replace('default:"friend"', `default:"friend ${n}"`),
    seen: (n) => `${widget}?.textContent.includes("friend ${n}")`,
    most: Number.POSITIVE_INFINITY,
  },
];

const scratch = await Scratch.create();
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ["--headless", "--no-sandbox", "--disable-gpu"],
});
try {
  await scratch.start();
  const page = await browser.newPage({ bypassCSP: true });
  await page.goto(`${scratch.wix}/editor`);
  const panel = () =>
    page.frames().find((frame) => frame.url().startsWith(`${scratch.app}/panel/`));
  await page.frameLocator("#panel-frame").locator("input").first().waitFor({ timeout: 120_000 });

  const made = await scratch.remember();
  const rows = [];
  for (const edit of edits) {
    console.error(`${edit.name} …`);
    const times = [];
    try {
      // The first round warms up and does not count.
      for (let n = 1; n <= rounds + 1; n++) {
        const mark = n * 10 + Math.floor(Math.random() * 9);
        const began = Date.now();
        scratch.edit(edit.file, (text) => edit.change(text, mark));
        const at = await seen(edit, mark);
        if (n > 1) {
          times.push(at - began);
        }
        await rest();
      }
      times.sort((a, b) => a - b);
      rows.push([edit.name, times[Math.floor(times.length / 2)], times.at(-1), edit.most]);
    } catch (error) {
      rows.push([edit.name, `failed: ${error.message.split("\n")[0]}`, "", edit.most]);
      process.exitCode = 1;
    }
    scratch.restore(edit.file);
    await rest();
  }
  const after = words(await scratch.recall(made));
  await scratch.stop();
  await scratch.start();
  const later = words(await scratch.recall(made));

  console.log("| save → seen | median, ms | most, ms | target, ms |\n| --- | --- | --- | --- |");
  for (const [name, median, most, target] of rows) {
    console.log(`| ${name} | ${median} | ${most} | ${Number.isFinite(target) ? target : ""} |`);
  }
  console.log(
    `\n${rounds} rounds. Load of the machine: ${loadavg()
      .map((l) => l.toFixed(1))
      .join(", ")}.`,
  );
  console.log(`Survived all edits: ${after}; over Ctrl-C and a second start: ${later}.`);

  async function seen({ frame, path, seen: condition }, n) {
    if (path) {
      const holds = new Function(`return ${condition(n)}`)();
      while (!holds(await (await fetch(scratch.app + path)).text())) {
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      return Date.now();
    }
    const where = frame === "panel" ? panel() : page;
    const at = await where.waitForFunction(`${condition(n)} ? Date.now() : 0`, null, {
      timeout: 60_000,
    });
    return at.jsonValue();
  }

  /** Lets what follows from a change end: the panel to be loaded, programs to have ended. */
  async function rest() {
    await page.frameLocator("#panel-frame").locator("input").first().waitFor({ timeout: 60_000 });
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
} finally {
  await browser.close();
  await scratch.remove();
}

function words(made) {
  if (Object.values(made).includes(false)) {
    process.exitCode = 1;
  }
  return Object.entries(made)
    .map(([name, is]) => `${name} ${is ? "yes" : "NO"}`)
    .join(", ");
}
