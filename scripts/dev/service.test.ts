// @vitest-environment node
// Services of small programs, which answer with their name.

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Child } from "./child.mjs";
import { Service } from "./service.mjs";

const patience = { timeout: 60_000 };

let dir: string;
let services: Service[] = [];
let crashes: string[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "dev-"));
  crashes = [];
});
afterEach(async () => {
  await Promise.all(services.map((service) => service.stop()));
  services = [];
  rmSync(dir, { recursive: true });
});

/** A program that answers with its name: at /slow when it is asked to end, and it waits for that. */
function program(name: string, start = "") {
  const file = join(dir, name);
  const source = `#!${process.execPath}
    const http = require("node:http");
    ${start}
    let slow = [];
    const server = http.createServer((request, response) => {
      if (request.url === "/slow") { slow.push(response); return; }
      if (request.url === "/free") { slow.forEach((r) => r.end("${name}")); }
      if (request.url === "/die") { process.exit(3); }
      response.end("${name}");
    });
    server.listen(Number(process.argv[2]), "127.0.0.1");
    process.on("SIGINT", () => server.close(() => process.exit(0)));
  `;
  writeFileSync(file, source);
  chmodSync(file, 0o755);
  return file;
}

function service(alone: boolean) {
  const made = new Service({
    health: "/",
    alone,
    command: async (port: number) => ({ args: [String(port)], env: process.env }),
    onLine: () => {},
    onCrash: (text: string) => crashes.push(text),
  });
  services.push(made);
  return made;
}

/** Asks the program of the moment. */
function ask(of: Service, path = "/"): Promise<string> {
  return new Promise((resolve) => {
    void of.use((port: number, done: () => void) => {
      if (port === 0) {
        resolve("nobody");
        return;
      }
      fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: "close" } })
        .then((answer) => answer.text())
        .catch(() => "refused")
        .then((text) => {
          done();
          resolve(text);
        });
    });
  });
}

describe.each([
  ["side by side", false],
  ["one at a time", true],
])("programs that run %s", (_, alone) => {
  test("nobody answers before the first", async () => {
    expect(await ask(service(alone))).toBe("nobody");
  });
  test("no request is refused while one takes over", async () => {
    const s = service(alone);
    await s.replace(program("one"));
    const answers = new Set<string>();
    let over = false;
    const asking = (async () => {
      while (!over) {
        answers.add(await ask(s));
      }
    })();
    await s.replace(program("two"));
    expect(await ask(s)).toBe("two");
    over = true;
    await asking;
    answers.delete("one");
    expect([...answers]).toEqual(["two"]);
  });
  test("one that does not start leaves the other, and says why", async () => {
    const s = service(alone);
    await s.replace(program("one"));
    const broken = program("broken", 'console.error("no such table"); process.exit(2);');
    await expect(s.replace(broken)).rejects.toThrow(/status 2\nno such table/);
    expect(await ask(s)).toBe("one");
    expect(crashes).toEqual([]);
  });
  test("one that ends by itself is started again, but not for ever", async () => {
    const s = service(alone);
    await s.replace(program("one"));
    for (let crash = 1; crash <= 5; crash++) {
      await ask(s, "/die");
      await expect.poll(() => crashes.length, patience).toBe(crash);
      expect(await ask(s)).toBe("one");
    }
    expect(crashes[0]).toMatch(/^ended with status 3/);
    await ask(s, "/die");
    await expect.poll(() => crashes.length, patience).toBe(6);
    expect(await ask(s)).toBe("nobody");
    await s.replace(program("two"));
    expect(await ask(s)).toBe("two");
  });
});

test("a request that is under way ends where it began", async () => {
  const s = service(false);
  await s.replace(program("one"));
  let port = 0;
  await s.use((p: number, done: () => void) => {
    port = p;
    done();
  });
  const slow = ask(s, "/slow");
  await s.replace(program("two"));
  expect(await ask(s)).toBe("two");
  await expect
    .poll(async () => (await fetch(`http://127.0.0.1:${port}/free`)).text(), patience)
    .toBe("one");
  expect(await slow).toBe("one");
});

test("a child says how it ended, and what it wrote", async () => {
  const child = new Child(process.execPath, ["-e", 'console.log("out"); console.error("err")']);
  expect(await child.ended).toBe("status 0");
  expect(child.output.split("\n").sort()).toEqual(["err", "out"]);
});

test("a program that is not there is no riddle", async () => {
  const child = new Child(join(dir, "missing"), []);
  await expect(child.ready("http://127.0.0.1:1/")).rejects.toThrow(/ENOENT/);
});
