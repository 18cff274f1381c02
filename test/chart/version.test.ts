// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";

test("the chart installs the application of the same commit", () => {
  const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
  const chart = parse(read("charts/hot/Chart.yaml")) as { appVersion: string };
  const application = JSON.parse(read("apps/webhook/package.json")) as { version: string };
  expect(chart.appVersion).toBe(application.version);
});
