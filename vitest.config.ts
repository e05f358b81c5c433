import { defineConfig } from "vitest/config";
import { names } from "./widget/names.ts";

export default defineConfig({
  plugins: [names()],
  test: {
    environment: "happy-dom",
    css: { include: /\/widget\/src\// }, // Vitest empties the others
    include: ["{widget,panel,web,scripts}/**/*.test.{ts,tsx}"],
  },
});
