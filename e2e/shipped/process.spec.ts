// The shipped app, ended without warning.
import { expect, Stack, test } from "../stack";

test("saved settings survive a kill", async () => {
  const stack = await new Stack().start();
  try {
    const owner = await stack.token({ subject: "USER" });
    for (let version = 0; version < 5; version++) {
      const saved = await stack.ask("settings", owner, {
        method: "PUT",
        headers: { "Content-Type": "application/json", "If-Match": `"${version}"` },
        body: JSON.stringify({ greeting: `Greeting ${version + 1}` }),
      });
      expect(saved.status).toBe(200);
      stack.server.kill("SIGKILL");
      expect((await stack.server.ended).signal).toBe("SIGKILL");
      await stack.serve();
      const read = await (await stack.ask("settings", owner)).json();
      expect(read).toEqual({
        settings: { greeting: `Greeting ${version + 1}` },
        version: version + 1,
      });
    }
  } finally {
    await stack.stop();
  }
});
