import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    environment: "happy-dom",
    include: ["{widget,panel,web,scripts}/**/*.test.{ts,tsx}"],
  },
});
