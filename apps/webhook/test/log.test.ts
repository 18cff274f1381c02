// SPDX-License-Identifier: Apache-2.0
import { ApiError, ConnectionError } from "@hot/kube";
import { expect, test } from "vitest";
import { createLog } from "../src/log.ts";

const refused = (status: number): ApiError => new ApiError("LIST pods", status, { message: "no" });
const cut = (code: ConstructorParameters<typeof ConnectionError>[2]): ConnectionError =>
  new ConnectionError("LIST pods", "https://api", code, "why");

test.each([
  [refused(403), "HOT5102"],
  [refused(429), "HOT5104"],
  [refused(500), undefined],
  [cut("KUBE_UNREACHABLE"), "HOT5101"],
  [cut("KUBE_TIMEOUT"), "HOT5101"],
  [cut("KUBE_TOO_LARGE"), undefined],
  [new Error("a fault"), undefined],
  [new Error("silent for too long"), "HOT5105", "silent"],
])("a line with %s has its code", (err, code, cause = "cut") => {
  const lines: { code?: string; err: { message: string } }[] = [];
  const log = createLog("info", (line) => lines.push(JSON.parse(line) as (typeof lines)[number]));
  log.warn("watch failed", { err, cause });
  log.warn("not registered", { err, code: "HOT5201" });
  log.warn("no fields");
  expect(lines.map((line) => line.code)).toEqual([code, "HOT5201", undefined]);
  expect(lines[0]?.err.message).toContain(err.message);
});
