// Rows: medians with min–max, ratios within a round, printed and as JSON.

const sorted = (list) => [...list].sort((a, b) => a - b);

function summary(list) {
  const s = sorted(list);
  return { median: s[Math.floor(s.length / 2)], min: s[0], max: s.at(-1), rounds: list };
}

/** One row. series: ours, peer, limit and netHttp, each the list of its rounds or one number. */
export function row(name, unit, series) {
  const lists = Object.entries(series).map(([of, value]) => [of, [value].flat()]);
  const figures = Object.fromEntries(lists.map(([of, list]) => [of, summary(list)]));
  const ratios = {};
  for (const [of, list] of lists.filter(([of]) => of !== "ours" && figures.ours)) {
    const ours = figures.ours.rounds;
    if (list.length === ours.length) {
      ratios[of] = summary(ours.map((o, i) => o / list[i]));
    }
  }
  return { name, unit, figures, ratios };
}

const number = (n) => {
  if (n === 0 || n >= 100) {
    return Math.round(n).toLocaleString("en");
  }
  return n.toPrecision(n < 0.1 ? 2 : 3);
};
const cell = (s) => {
  if (!s) {
    return "";
  }
  return s.min === s.max
    ? number(s.median)
    : `${number(s.median)} (${number(s.min)}–${number(s.max)})`;
};

/** The table as Markdown. */
export function markdown(rows) {
  const lines = [
    ["", "unit", "ours", "peer", "limit", "net/http", "÷ peer", "÷ limit", "÷ net/http"],
    ["---", ...Array(8).fill("---")],
  ];
  for (const { name, unit, figures: f, ratios: r, failed } of rows) {
    if (failed) {
      lines.push([name, `failed: ${failed}`]);
    } else {
      const cells = [f.ours, f.peer, f.limit, f.netHttp, r.peer, r.limit, r.netHttp].map(cell);
      lines.push([name, unit, ...cells]);
    }
  }
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
