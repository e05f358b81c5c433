// With Wix's own transport, as it is.
import { IFrameConsumerEndpoint } from "@wix/editor-platform-transport";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

const event = (name: string) => `EDITOR_PLATFORM_TRANSPORT_EVENT:__${name}`;
const editor = { postMessage: vi.fn() };
const sibling = { postMessage: vi.fn() };
let requests: { type: string; memberId?: string }[];

beforeEach(async () => {
  requests = [];
  editor.postMessage = vi.fn((text: string) => requests.push(JSON.parse(text)));
  vi.stubGlobal("parent", editor);
  vi.resetModules();
  await import("./parent");
  IFrameConsumerEndpoint.exposeAPI({ type: "PANEL" });
});

afterEach(() => vi.unstubAllGlobals());

function post(source: unknown, message: unknown, port?: MessagePort) {
  const sent = new MessageEvent("message", { data: JSON.stringify(message) });
  Object.defineProperties(sent, {
    source: { value: source },
    ports: { value: port ? [port] : [] },
  });
  window.dispatchEvent(sent);
}

/** Offers the panel a connection, and returns what it sends there. */
function connect(source: unknown, memberId: string | undefined) {
  const port = { postMessage: vi.fn(), close: vi.fn() };
  post(source, { type: event("Port"), targetMemberId: memberId }, port as unknown as MessagePort);
  return port;
}

test("a window that is not the parent cannot be the editor, however well it guesses", () => {
  for (const source of [sibling, window, null]) {
    post(source, { type: event("Pong") });
    expect(requests.map(({ type }) => type)).toEqual([event("Ping")]);
  }
  post(editor, { type: event("Pong") });
  const memberId = requests.at(-1)?.memberId;
  expect(memberId).toMatch(/^consumer-/);

  for (const source of [sibling, window, null]) {
    expect(connect(source, memberId).postMessage).not.toHaveBeenCalled();
  }
  const port = connect(editor, memberId);
  expect(port.postMessage).toHaveBeenCalledOnce();
  expect(connect(sibling, memberId).postMessage).not.toHaveBeenCalled();
  expect(port.close).not.toHaveBeenCalled();
});

test("no other listener sees such a message, not even one of the capture phase", () => {
  const seen = vi.fn();
  window.addEventListener("message", seen, { capture: true });
  post(sibling, {});
  expect(seen).not.toHaveBeenCalled();
  post(editor, {});
  expect(seen).toHaveBeenCalledOnce();
  window.removeEventListener("message", seen, { capture: true });
});
