// SPDX-License-Identifier: MIT
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  test: { include: ["client/test/**/*.test.{ts,tsx}", "pages/test/**/*.test.ts"], testTimeout: 180000 },
});
