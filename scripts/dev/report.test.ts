// @vitest-environment node
import { EventEmitter } from "node:events";
import { describe, expect, test } from "vitest";
import { logLine, names, positions, Report } from "./report.mjs";

describe("logLine", () => {
  const line = (level: string, msg: string) =>
    JSON.stringify({ time: "2026-01-02T03:04:05Z", level, msg, instanceId: "i", tries: 3 });
  test.each([
    [
      "an app's line is one for people",
      line("INFO", "event applied"),
      false,
      "INFO event applied instanceId=i tries=3",
    ],
    ["starts and ends go without saying", line("INFO", "listening"), false, null],
    ["what an app prints is shown", "here I am", false, "here I am"],
    [
      "a quiet program's errors are shown",
      line("ERROR", "no"),
      true,
      "ERROR no instanceId=i tries=3",
    ],
    ["and nothing else of it", line("INFO", "called"), true, null],
    ["its greeting neither", "The offline Wix is at", true, null],
    ["JSON that is not of the log is shown", '{"a":1}', false, '{"a":1}'],
  ])("%s", (_, text, quiet, expected) => {
    expect(logLine(text, quiet)).toBe(expected);
  });
});

test("names: the first file, and how many more", () => {
  expect(names(["a"])).toBe("a");
  expect(names(["a", "b", "c"])).toBe("a and 2 more");
});

test("positions are those of an editor", () => {
  const output = "# example.com/a\nbackend/a.go:3:4: undefined: x\n./b.go:1:2: no";
  expect(positions(output, "/repo")).toBe(
    "# example.com/a\n/repo/backend/a.go:3:4: undefined: x\n/repo/b.go:1:2: no",
  );
});

describe("Report", () => {
  function connected() {
    let terminal = "";
    const sent: unknown[] = [];
    const report = new Report({
      write: (text: string) => {
        terminal += text;
      },
    });
    const ws = Object.assign(new EventEmitter(), {
      send: (message: unknown) => sent.push(message),
    });
    report.connect({ ws });
    const open = () => {
      const got: string[] = [];
      ws.emit("connection", { send: (text: string) => got.push(text) });
      return got;
    };
    return { report, sent, open, terminal: () => terminal };
  }
  const overlay = { type: "error", err: { message: "not built", stack: "a.go:1:2: no" } };

  test("a fault is at the terminal, in open pages and in those that open later", () => {
    const { report, sent, open, terminal } = connected();
    expect(open()).toEqual([]);
    report.fault("go", "not built", "a.go:1:2: no");
    expect(terminal()).toMatch(/go {2}not built\n {2}a\.go:1:2: no\n$/);
    expect(sent).toEqual([overlay]);
    expect(open()).toEqual([JSON.stringify(overlay)]);
    expect(report.problem).toBe("not built\n\na.go:1:2: no");
  });
  test("the pages are free when the last fault is fixed", () => {
    const { report, sent, open } = connected();
    report.fault("go", "not built", "a.go:1:2: no");
    report.fault("widget", "not built", "b.ts");
    report.fixed("widget");
    expect(sent.at(-1)).toEqual(overlay);
    report.fixed("go");
    expect(sent.at(-1)).toEqual({ type: "custom", event: "dev:fixed" });
    expect(open()).toEqual([]);
    report.fixed("go");
    expect(sent.length).toBe(4);
  });
});
