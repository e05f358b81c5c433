// Text in templates is replaced without a build: with TEMPL_DEV_MODE a program reads its
// templates' texts from files, and templ's generated code says which text is the how manieth.
// Every structure (the code without its texts) has a folder of its own, so that a program
// never reads the texts of another structure than it was built from.

import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const literal = /(templruntime\.WriteString\(\w+, (\d+), )"((?:[^"\\]|\\.)*)"/g;
/** The places in the template that errors name. They move with the texts. */
const place = /Line: \d+, Col: \d+/g;

/** Takes the code that templ generated for one template apart. */
export function split(code) {
  const texts = [];
  const structure = code
    .replace(literal, (_, call, index, text) => {
      texts[Number(index) - 1] = text;
      return `${call}""`;
    })
    .replace(place, "");
  return { texts, structure };
}

/** The name under which templ's runtime looks for the texts of a template. */
export function textFile(templatePath) {
  return `templ_${createHash("sha256").update(templatePath).digest("hex")}.txt`;
}

/**
 * Writes the texts of all templates below web into the folder of their structure.
 * @returns the folder
 */
export function writeTexts(web, folder) {
  const templates = readdirSync(web)
    .filter((name) => name.endsWith("_templ.go"))
    .sort()
    .map((name) => ({ name, ...split(readFileSync(join(web, name), "utf8")) }));
  const all = templates.map(({ name, structure }) => `${name}\n${structure}`).join("\n");
  const own = join(folder, createHash("sha256").update(all).digest("hex").slice(0, 16));
  mkdirSync(own, { recursive: true });
  for (const { name, texts } of templates) {
    const path = join(realpathSync(web), name.replace(/_templ\.go$/, ".templ"));
    writeFileSync(join(own, textFile(path)), texts.join("\n"));
  }
  return own;
}

/** Removes the texts of former runs. */
export function clearTexts(folder) {
  rmSync(folder, { recursive: true, force: true });
}
