// A webhook from another implementation: jose signs the JWT as Wix's documentation shows
// it, and the server accepts it.
import { exportPKCS8, exportSPKI, generateKeyPair, importPKCS8, SignJWT } from "jose";
import { expect, Stack, test } from "./stack";

test("a JWT made with jose, in Wix's three layers, is accepted and applied", async () => {
  const { publicKey, privateKey } = await generateKeyPair("RS256", { extractable: true });
  const pem = await exportSPKI(publicKey);
  const stack = await new Stack().start({ env: { WIX_PUBLIC_KEY: pem } });
  try {
    const instanceId = await stack.install();
    const event = {
      operationTimeStamp: new Date().toISOString(),
      vendorProductId: "made-by-jose",
      cycle: "YEARLY",
    };
    const data = {
      data: JSON.stringify(event),
      instanceId,
      eventType: "PaidPlanPurchased",
      identity: JSON.stringify({ identityType: "WIX_USER", wixUserId: "u" }),
      accountInfo: { siteId: "s" },
    };
    const sign = (alg: string) =>
      new SignJWT({ data: JSON.stringify(data) })
        .setProtectedHeader({ alg, kid: "abc" })
        .setIssuedAt()
        .setExpirationTime("1h");
    const post = (body: string) =>
      fetch(`${stack.app}/webhooks/wix`, { method: "POST", body }).then((r) => r.status);

    // From here on Wix cannot be read, so that the plan can only come from the event.
    await stack.fault({ endpoint: "instance", outage: true });
    expect(await post(await sign("RS256").sign(privateKey))).toBe(200);
    await expect
      .poll(() => stack.run("instances", "show", instanceId), { timeout: 60_000 })
      .toMatch(/^plan +made-by-jose$/m);

    const otherKey = await generateKeyPair("RS256");
    expect(await post(await sign("RS256").sign(otherKey.privateKey))).toBe(401);
    const hmac = new TextEncoder().encode(pem);
    expect(await post(await sign("HS256").sign(hmac))).toBe(401);
    // The right key, with an algorithm that @wix/sdk would accept.
    const strong = await importPKCS8(await exportPKCS8(privateKey), "RS512");
    expect(await post(await sign("RS512").sign(strong))).toBe(401);
  } finally {
    await stack.stop();
  }
});
