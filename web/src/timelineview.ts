// Renders the steps of a timeline as rows with four lanes.

import { name } from "../../app.json";
import { h } from "./dom";
import { compose, type Fact, milliseconds, type Party, type Step } from "./timeline";

const lanes: readonly Party[] = ["page", "server", "store", "wix"];
const names: Record<Party, string> = {
  page: "Page",
  server: name,
  store: "Store",
  wix: "Wix",
};

/** Returns a function that renders facts. Rows that are already in the list stay open or closed. */
export function timelineIn(list: HTMLElement): (facts: readonly Fact[]) => void {
  let shown: string[] = [];
  return (facts) => {
    const steps = compose(facts, performance.timeOrigin);
    const keys = steps.map((s) => JSON.stringify(s));
    if (keys.length === shown.length && keys.every((k, i) => k === shown[i])) {
      return;
    }
    const rows = new Map(shown.map((k, i) => [k, list.children[i]]));
    list.replaceChildren(...steps.map((s, i) => rows.get(keys[i] ?? "") ?? row(s)));
    shown = keys;
  };
}

function row(s: Step): HTMLElement {
  const [from, to] = [lanes.indexOf(s.from), lanes.indexOf(s.to)];
  const arrow = h("i", { class: from === to ? "dot" : from < to ? "arrow there" : "arrow back" });
  // Each lane is two half columns wide; an arrow goes from the middle of one to the middle of another.
  arrow.style.gridColumn =
    from === to
      ? `${2 * from + 1} / span 2`
      : `${2 * Math.min(from, to) + 2} / ${2 * Math.max(from, to) + 2}`;
  const head = [
    h("span", { class: "when" }, s.at === 0 ? "0 ms" : `+${milliseconds(s.at)}`),
    h("span", { class: "lanes", "aria-hidden": "true" }, arrow),
    h(
      "span",
      { class: "what" },
      h(
        "span",
        { class: "who" },
        s.from === s.to ? names[s.from] : `${names[s.from]} to ${names[s.to]}`,
      ),
      h("span", { class: "sr" }, ": "),
      s.text,
    ),
  ];
  if (s.details.length === 0) {
    return h("li", { class: `step ${s.kind}` }, h("div", { class: "row" }, ...head));
  }
  return h(
    "li",
    { class: `step ${s.kind}` },
    h(
      "details",
      {},
      h("summary", { class: "row" }, ...head),
      h(
        "dl",
        {},
        ...s.details.map(([term, text]) => h("div", {}, h("dt", {}, term), h("dd", {}, text))),
      ),
    ),
  );
}
