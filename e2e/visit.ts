import type { Page, Request } from "@playwright/test";
import type { Stack } from "./stack";

/** Opens the site page, and collects its requests to the API. */
export async function visit(
  page: Page,
  stack: Stack,
  query: Record<string, string | number>,
): Promise<Request[]> {
  const requests: Request[] = [];
  page.on("request", (request) => {
    if (request.url().startsWith(`${stack.app}/api/`) && request.method() !== "OPTIONS") {
      requests.push(request);
    }
  });
  const parameters = Object.entries(query).map(([k, v]) => [k, String(v)]);
  await page.goto(`${stack.wix}/site?${new URLSearchParams(parameters)}`);
  return requests;
}
