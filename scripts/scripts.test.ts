// @vitest-environment node
// The build scripts, run as the build runs them, on temporary folders.

import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const here = import.meta.dirname;
const text = "const example = 'widget';\n".repeat(20);
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "scripts-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

function put(name: string, content: string | Uint8Array) {
  mkdirSync(dirname(join(dir, name)), { recursive: true });
  writeFileSync(join(dir, name), content);
}
const list = () => readdirSync(dir, { recursive: true }).map(String).sort();

describe("precompress", () => {
  const run = () => execFileSync(process.execPath, [join(here, "precompress.mjs"), dir]);

  test("compresses text files, in subfolders too", () => {
    put("widget.js", text);
    put("assets/a.css", text);
    run();
    expect(list()).toEqual([
      ".gitkeep",
      "assets",
      "assets/a.css",
      "assets/a.css.br",
      "assets/a.css.gz",
      "widget.js",
      "widget.js.br",
      "widget.js.gz",
    ]);
    expect(brotliDecompressSync(readFileSync(join(dir, "widget.js.br"))).toString()).toBe(text);
    expect(gunzipSync(readFileSync(join(dir, "widget.js.gz"))).toString()).toBe(text);
  });

  test("is deterministic", () => {
    put("widget.js", text);
    const packed = () => {
      run();
      return ["br", "gz"].map((suffix) => readFileSync(join(dir, `widget.js.${suffix}`), "hex"));
    };
    expect(packed()).toEqual(packed());
  });

  test.each<[string, string, string | Uint8Array]>([
    ["a small file", "small.js", text.slice(0, 199)],
    ["an image", "a.png", text],
    ["a font", "a.woff2", text],
    ["a file that does not get smaller", "noise.txt", crypto.getRandomValues(new Uint8Array(400))],
  ])("does not compress %s", (_, name, content) => {
    put(name, content);
    run();
    expect(list()).toEqual([".gitkeep", name].sort());
  });

  test("removes the files of an older build", () => {
    put("gone-0123456789abcdef.js.br", "old");
    put("gone-0123456789abcdef.js.gz", "old");
    put("small.js", "x");
    put("small.js.br", "old");
    run();
    expect(list()).toEqual([".gitkeep", "small.js"]);
  });

  test("without a folder prints its usage", () => {
    const { status, stderr } = spawnSync(process.execPath, [join(here, "precompress.mjs")]);
    expect(status).toBe(2);
    expect(String(stderr)).toContain("DIR");
  });
});

describe("budget", () => {
  // The script measures the folder above its own.
  const run = () => {
    put("scripts/budget.mjs", readFileSync(join(here, "budget.mjs")));
    put("app.json", '{"budgets": {"widget": 3400, "panel": 153600}}');
    const { status, stdout, stderr } = spawnSync(process.execPath, [
      join(dir, "scripts/budget.mjs"),
    ]);
    return { status, stdout: String(stdout), stderr: String(stderr) };
  };
  const noise = (bytes: number) => {
    const all = new Uint8Array(bytes);
    for (let at = 0; at < bytes; at += 65536) {
      crypto.getRandomValues(all.subarray(at, at + 65536));
    }
    return all;
  };
  const small = () => {
    put("widget/dist/widget.js", text);
    put("widget/dist/widget-class.js", text);
    put("panel/dist/index.html", "<!doctype html>");
    put("panel/dist/assets/a.js", text);
  };

  test("accepts what is within the budget, and prints each file", () => {
    small();
    const { status, stdout, stderr } = run();
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^file +bytes +br +gz$/m);
    expect(stdout).toMatch(/^widget\/dist\/widget\.js +520 +\d+ +\d+$/m);
    expect(stdout).toMatch(/^panel\/dist\/assets\/a\.js +520 +\d+ +\d+$/m);
  });

  test("counts neither the hashed copy of the widget nor other files", () => {
    small();
    put("widget/dist/widget-0123456789abcdef.js", noise(4000));
    put("panel/dist/assets/picture.png", noise(200_000));
    put("panel/dist/assets/a.js.map", noise(200_000));
    put("panel/dist/assets/a.js.br", noise(200_000));
    expect(run().status).toBe(0);
  });

  test("a widget over its budget: which file, by how much, what to do", () => {
    small();
    put("widget/dist/widget.js", noise(4000));
    const { status, stderr } = run();
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^budget: widget\.js: 40\d\d bytes brotli, 6\d\d over its budget of 3400\. .*git diff.*raise "budgets" in app\.json/,
    );
  });

  test("a panel whose files together are over its budget", () => {
    small();
    put("panel/dist/assets/a.js", noise(80_000));
    put("panel/dist/assets/b.css", noise(80_000));
    const { status, stderr } = run();
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^budget: panel, JS and CSS: 160\d\d\d bytes brotli, \d+ over its budget of 153600\./,
    );
  });

  test.each([
    ["widget", "widget/dist/widget.js"],
    ["class of the widget", "widget/dist/widget-class.js"],
    ["panel", "panel/dist/index.html"],
  ])("a %s that is not built", (_, missing) => {
    small();
    rmSync(join(dir, missing));
    const { status, stderr } = run();
    expect(status).toBe(1);
    expect(stderr).toContain(`${missing} is missing: run make build`);
  });
});

describe("program.sh", () => {
  const run = (env: Record<string, string>) => {
    const names = ["CHROMIUM", "chromium", "chromium", "chromium-browser", "google-chrome"];
    const script = join(here, "program.sh");
    const { status, stdout, stderr } = spawnSync("/bin/sh", [script, ...names], { env });
    return { status, stdout: String(stdout), stderr: String(stderr) };
  };
  const program = (name: string, lines: string) => {
    put(name, `#!/bin/sh\n${lines}\n`);
    chmodSync(join(dir, name), 0o755);
    return join(dir, name);
  };

  test("prints $CHROMIUM", () => {
    const mine = program("mine", "");
    program("chromium", "");
    expect(run({ CHROMIUM: mine, PATH: dir })).toEqual({
      status: 0,
      stdout: `${mine}\n`,
      stderr: "",
    });
  });

  test("refuses a $CHROMIUM that does not exist, even when another does", () => {
    program("chromium", "");
    const { status, stdout, stderr } = run({ CHROMIUM: join(dir, "none"), PATH: dir });
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("is not an executable program");
  });

  test.each(["chromium", "chromium-browser", "google-chrome"])("finds %s in PATH", (name) => {
    const found = program(name, "");
    expect(run({ PATH: dir })).toEqual({ status: 0, stdout: `${found}\n`, stderr: "" });
  });

  test("installs it as root, and prints only the path", () => {
    program("id", "echo 0");
    program(
      "apt-get",
      `echo noise; case "$*" in *install*) echo '#!/bin/sh' >${dir}/chromium; /bin/chmod +x ${dir}/chromium;; esac`,
    );
    const { status, stdout } = run({ PATH: dir });
    expect([status, stdout]).toEqual([0, `${join(dir, "chromium")}\n`]);
  });

  test.each([
    ["a user who may not install", "echo 1000", "exit 0"],
    ["an installation that fails", "echo 0", "exit 100"],
    ["an installation without a Chromium", "echo 0", "exit 0"],
  ])("fails for %s", (_, id, apt) => {
    program("id", id);
    program("apt-get", apt);
    const { status, stdout, stderr } = run({ PATH: dir });
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("no chromium found: install it, or set CHROMIUM");
  });
});
