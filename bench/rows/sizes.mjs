// What a page downloads, and the binary.
import { statSync } from "node:fs";
import { file, program } from "../lib/programs.mjs";
import { row } from "../lib/table.mjs";
import { bundle, weigh } from "../peer/build.mjs";

export async function measure(add) {
  for (const source of ["widget.tsx", "panel.tsx", "bare-element.js"]) {
    await bundle(source, file(source));
  }
  const widget = [
    weigh("widget/dist", (name) => name === "widget.js"),
    weigh(file("widget.tsx")),
    weigh(file("bare-element.js")),
  ];
  const panel = [weigh("panel/dist"), weigh(file("panel.tsx"))];
  for (const encoding of ["br", "gz"]) {
    const [ours, peer, limit] = widget.map((size) => size[encoding]);
    add(row(`widget.js, ${encoding}`, "bytes", { ours, peer, limit }));
  }
  for (const encoding of ["br", "gz"]) {
    const [ours, peer] = panel.map((size) => size[encoding]);
    add(row(`panel, JS and CSS, ${encoding}`, "bytes", { ours, peer }));
  }
  add(row("the binary", "bytes", { ours: statSync(program).size }));
}
