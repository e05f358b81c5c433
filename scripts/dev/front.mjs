// What browsers and webhooks talk to: one origin that passes its requests to the program that
// is the newest, and connects the program's pages to Vite.

import http from "node:http";
import { allowVite, connect, waitingPage } from "./page.mjs";

// The programs close idle connections later than this, so that no request meets a closed one.
const agent = new http.Agent({ keepAlive: true, timeout: 30_000 });

/**
 * @param {object} options
 * @param {import("./service.mjs").Service} options.service
 * @param {(request, response) => Promise<boolean> | boolean} options.own answers what make dev
 *   serves itself, and returns whether it did
 * @param {(request) => object | undefined} options.socket the Vite server of an upgrade
 * @param {string} options.client the URL of client.js
 * @param {(path: string) => Promise<string | undefined>} options.page the page that replaces the
 *   program's at a path, below the program's own header
 * @param {() => string} options.problem why there is no program
 */
export function createFront({ service, own, socket, client, page, problem }) {
  const server = http.createServer(async (request, response) => {
    try {
      if (!(await own(request, response))) {
        await service.use((port, done) => pass(request, response, port, done));
      }
    } catch (error) {
      fail(response, 500, error.stack);
    }
  });
  server.on("upgrade", (request, connection, head) => {
    const vite = socket(request);
    if (vite) {
      vite.emit("upgrade", request, connection, head);
    } else {
      connection.destroy();
    }
  });
  // A page that is held open must not be cut off.
  server.requestTimeout = 0;
  // A connection that the server closes while a client sends on it looks like a refused request.
  server.keepAliveTimeout = 0;

  function pass(request, response, port, done) {
    if (port === 0) {
      waiting(request, response);
      done();
      return;
    }
    const headers = { ...request.headers };
    delete headers["accept-encoding"]; // pages are read here, and this machine is near
    const options = { host: "127.0.0.1", port, method: request.method, path: request.url, headers };
    const upstream = http.request({ ...options, agent });
    response.once("close", () => {
      upstream.destroy();
      done();
    });
    upstream.once("error", (error) => fail(response, 502, error.message));
    upstream.once("response", (answer) => {
      answer.once("error", () => response.destroy());
      void send(request, response, answer).catch((error) => fail(response, 500, error.stack));
    });
    request.pipe(upstream);
  }

  async function send(request, response, answer) {
    const isPage = /^text\/html\b/.test(answer.headers["content-type"] ?? "");
    if (!isPage || request.method !== "GET") {
      response.writeHead(answer.statusCode, uncached(answer.headers));
      answer.pipe(response);
      return;
    }
    const chunks = await answer.toArray();
    const html = await page(new URL(request.url, "http://front").pathname);
    const body = html ?? connect(Buffer.concat(chunks).toString(), client);
    const headers = { ...answer.headers, "cache-control": "no-store" };
    delete headers.etag;
    delete headers["transfer-encoding"];
    headers["content-length"] = Buffer.byteLength(body);
    const policy = headers["content-security-policy"];
    if (policy) {
      headers["content-security-policy"] = allowVite(policy, request.headers.host);
    }
    response.writeHead(answer.statusCode, headers);
    response.end(body);
  }

  function waiting(request, response) {
    if (!request.headers.accept?.includes("text/html")) {
      fail(response, 503, problem());
      return;
    }
    response.writeHead(503, { "Content-Type": "text/html; charset=utf-8" });
    response.end(connect(waitingPage("Nothing to show yet", problem()), client));
  }
  return server;
}

/** Has browsers ask each time, since what answers may be new. */
function uncached(headers) {
  const control = headers["cache-control"];
  return control
    ? { ...headers, "cache-control": control.replace(/max-age=\d+/, "no-cache") }
    : headers;
}

function fail(response, status, text) {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8" });
  response.end(`make dev: ${text}\n`);
}
