import { defineConfig } from "vitest/config";
import { names } from "./widget/names.ts";

export default defineConfig({
  plugins: [names()],
  test: {
    environment: "happy-dom",
    css: { include: /\/widget\/src\// }, // Vitest empties the others
    testTimeout: 120_000, // no test is about the speed of the machine
    hookTimeout: 120_000,
    include: ["{widget,panel,web,scripts}/**/*.test.{ts,tsx}"],
  },
});
