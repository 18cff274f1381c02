// SPDX-License-Identifier: Apache-2.0
import type { SidecarSet } from "@hot/spec";
import { expect, test } from "vitest";
import { createSeenSidecarSets } from "../src/seen-sidecar-sets.ts";
import { sidecarSet } from "./support/builders.ts";

const at = (resourceVersion: string, image = "x:1"): SidecarSet => {
  const one = sidecarSet({ image });
  return { ...one, metadata: { ...one.metadata, resourceVersion } };
};

test("what was seen stays seen: by an event, by a read, and though a deletion is told in between", () => {
  let cached: SidecarSet | undefined = at("5");
  const seen = createSeenSidecarSets({ get: () => cached });
  seen.see(at("7", "x:2"));
  expect(seen.get("mesh")).toEqual(at("7", "x:2"));
  cached = undefined;
  expect(seen.get("mesh")).toBeUndefined();
  cached = at("6");
  expect(seen.get("mesh")).toEqual(at("7", "x:2"));
  cached = at("10", "x:3");
  expect(seen.get("mesh")).toEqual(cached);
  seen.see(at("7", "x:2"));
  expect(seen.get("mesh")).toEqual(cached);
});

test("versions that are no numbers have no order: the cache is believed", () => {
  const seen = createSeenSidecarSets({ get: () => at("b") });
  seen.see(at("c"));
  expect(seen.get("mesh")).toEqual(at("b"));
});
