// SPDX-License-Identifier: Apache-2.0
import type { SidecarSet } from "@hot/spec";
import { expect, it } from "vitest";
import { keepPrepared } from "../src/handlers/keep-prepared.ts";

const sidecarSet = (name: string): SidecarSet => ({ metadata: { name }, spec: { containers: [] } });

it("prepares again exactly when a SidecarSet was added, replaced or deleted", () => {
  const prepared = keepPrepared();
  const [a, b] = [sidecarSet("a"), sidecarSet("b")];
  const first = prepared([a, b]);
  expect(prepared([a, b])).toBe(first);
  const replaced = prepared([a, sidecarSet("b")]);
  expect(replaced).not.toBe(first);
  const deleted = prepared([a]);
  expect(deleted).not.toBe(replaced);
  expect(prepared([a, b])).not.toBe(deleted);
});
