// Compares the bundles with their byte budgets, and prints the size of each file.
//
//   node scripts/budget.mjs

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";

const { budgets: most } = JSON.parse(
  readFileSync(join(import.meta.dirname, "../app.json"), "utf8"),
);

/**
 * Budgets are in bytes after brotli, which nearly every browser accepts. The panel's budget
 * includes every script and style sheet of the folder, also those that are loaded later.
 */
const budgets = [
  {
    name: "widget.js",
    dir: "widget/dist",
    counts: (file) => file === "widget.js",
    needs: "widget.js",
    most: most.widget,
    advice:
      'Every visitor of every site loads it. See what grew (git diff --stat widget/src), and remove as much; or, if the widget is worth it, raise "budgets" in app.json: the number is your app\'s to set.',
  },
  {
    name: "widget-class.js",
    dir: "widget/dist",
    counts: (file) => file === "widget-class.js",
    needs: "widget-class.js",
    // It is as long as widget.js; what brotli makes of the two differs by some bytes.
    most: most.widget + 16,
    advice: "It is widget.js with another last line: what grew is there, too.",
  },
  {
    name: "panel, JS and CSS",
    dir: "panel/dist",
    counts: (file) => /\.(m?js|css)$/.test(file),
    needs: "index.html",
    most: most.panel,
    advice:
      "Look for an import of more than is used (npx vite build --config panel/vite.config.ts lists the chunks), and for style rules that the purge has missed.",
  },
];

/** Measures the bundles below root. Returns the rows of the table and the faults. */
export function measure(root) {
  const rows = [];
  const faults = [];
  for (const { name, dir, counts, needs, most, advice } of budgets) {
    const folder = join(root, dir);
    if (!existsSync(join(folder, needs))) {
      faults.push(`${name}: ${join(dir, needs)} is missing: run make build`);
      continue;
    }
    let total = 0;
    for (const file of readdirSync(folder, { recursive: true }).map(String).sort()) {
      if (!counts(file.replaceAll("\\", "/"))) {
        continue;
      }
      // Compressed here, because the .br beside it may be of an older build.
      const body = readFileSync(join(folder, file));
      const br = brotliCompressSync(body).length;
      total += br;
      rows.push({
        file: join(dir, file),
        bytes: body.length,
        br,
        gz: gzipSync(body, { level: 9 }).length,
      });
    }
    rows.push({ file: `= ${name}, at most ${most}`, bytes: "", br: total, gz: "" });
    if (total > most) {
      faults.push(
        `${name}: ${total} bytes brotli, ${total - most} over its budget of ${most}. ${advice}`,
      );
    }
  }
  return { rows, faults };
}

if (import.meta.filename === process.argv[1]) {
  const { rows, faults } = measure(join(import.meta.dirname, ".."));
  const columns = ["file", "bytes", "br", "gz"];
  const lines = [Object.fromEntries(columns.map((column) => [column, column])), ...rows];
  const widths = columns.map((column) =>
    Math.max(...lines.map((line) => String(line[column]).length)),
  );
  for (const line of lines) {
    const cells = columns.map((column, i) =>
      i === 0 ? String(line[column]).padEnd(widths[i]) : String(line[column]).padStart(widths[i]),
    );
    console.log(cells.join("  "));
  }
  for (const fault of faults) {
    console.error(`budget: ${fault}`);
  }
  process.exitCode = faults.length > 0 ? 1 : 0;
}
