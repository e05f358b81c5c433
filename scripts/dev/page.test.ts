// @vitest-environment node
import { describe, expect, test } from "vitest";
import { allowVite, connect, waitingPage } from "./page.mjs";

describe("connect", () => {
  test("the client comes first, so that it hears of errors in what follows", () => {
    expect(connect("<html><head><title>A</title></head></html>", "/client.js")).toBe(
      '<html><head><meta property="csp-nonce" nonce="vite"><script type="module" src="/client.js"></script><title>A</title></head></html>',
    );
  });
});

describe("allowVite", () => {
  const allow = (policy: string) => allowVite(policy, "127.0.0.1:8080");
  test.each([
    [
      "a page without scripts gets what it needs",
      "default-src 'none'; frame-ancestors 'none'",
      "default-src 'none'; frame-ancestors 'none'; script-src 'self' 'nonce-vite'; connect-src 'self' ws://127.0.0.1:8080; style-src 'self' 'nonce-vite'",
    ],
    [
      "what is allowed stays so",
      "default-src 'none'; script-src 'self' https://a.example; style-src 'self'; connect-src *",
      "default-src 'none'; script-src 'self' https://a.example 'nonce-vite'; style-src 'self' 'nonce-vite'; connect-src * 'self' ws://127.0.0.1:8080",
    ],
    [
      "no nonce where it would forbid styles of others",
      "script-src 'self'; style-src * 'unsafe-inline'; connect-src 'self'",
      "script-src 'self' 'nonce-vite'; style-src * 'unsafe-inline'; connect-src 'self' ws://127.0.0.1:8080",
    ],
    [
      "what is not restricted is not restricted then",
      "require-trusted-types-for 'script'",
      "require-trusted-types-for 'script'",
    ],
  ])("%s", (_, policy, expected) => {
    expect(allow(policy)).toBe(expected);
  });
});

describe("waitingPage", () => {
  test("text is text", () => {
    expect(waitingPage("Not built", "a < b && <script>")).toContain(
      "<pre>a &lt; b &amp;&amp; &lt;script></pre>",
    );
  });
});
