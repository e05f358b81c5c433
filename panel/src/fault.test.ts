// @vitest-environment node
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Fault, kindOf } from "./fault";

const table = readFileSync(new URL("../../backend/apierr/apierr.go", import.meta.url), "utf8");
const codes = [...table.matchAll(/Code\{"(\w+)"/g)].map((match) => match[1] ?? "");

describe("the server's table of codes", () => {
  it("is found", () => {
    expect(codes).toContain("token_expired");
    expect(codes).toContain("internal");
  });

  // Only Wix calls the webhook route.
  it.each(codes.filter((code) => !code.startsWith("webhook_")))(
    "%s has a notice of the panel's own, in the panel's language",
    (code) => {
      expect(kindOf(new Fault(code, { sentence: "A sentence." }))).not.toBe("app");
    },
  );
});
