// What one run of make dev hands on to the next: the app's credentials and the ports.

import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Reads the state of a folder, or makes one. Every part of it lasts as long as the folder. */
export function loadState(folder) {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "state.json");
  let stored = {};
  try {
    stored = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    if (error.code !== "ENOENT") {
      throw new Error(`${file} cannot be read: ${error.message}. Delete it to start afresh.`);
    }
  }
  const state = { appId: randomUUID(), appSecret: randomUUID(), app: 8080, wix: 8081, ...stored };
  const save = () => writeFileSync(file, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  save();
  return { state, save };
}

/** Listens on the port, or on a free one where that is taken. Returns the port. */
export async function listen(server, port) {
  const attempt = (p) =>
    new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(p, "127.0.0.1", () => {
        server.off("error", reject);
        resolve(server.address().port);
      });
    });
  try {
    return await attempt(port);
  } catch (error) {
    if (error.code !== "EADDRINUSE" && error.code !== "EACCES") {
      throw error;
    }
    return attempt(0);
  }
}
