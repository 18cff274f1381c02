// SPDX-License-Identifier: Apache-2.0
import { ApiError } from "@hot/kube";
import type { SidecarSet } from "@hot/spec";
import { expect, test } from "vitest";
import { createSeenSidecarSets } from "../src/seen-sidecar-sets.ts";
import { injectedPod, sidecarSet } from "./support/builders.ts";
import { Cluster } from "./support/cluster.ts";

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

test("names come and go: what was seen long ago of one that is gone is forgotten, and nothing else", () => {
  const named = (name: string, version: string): SidecarSet => {
    const one = at(version);
    return { ...one, metadata: { ...one.metadata, name } };
  };
  const cached = new Map([["alive", named("alive", "6")]]);
  const seen = createSeenSidecarSets({ get: (name) => cached.get(name) });
  for (const name of ["alive", "lately", "long"]) seen.see(named(name, "7"));
  const others = Array.from({ length: 997 }, (_, i) => named(`other-${i}`, "7"));
  for (const one of others) seen.see(one);
  seen.see(named("lately", "8"));
  for (const name of ["last", "very last"]) seen.see(named(name, "8"));
  for (const name of ["lately", "long", "other-0"]) cached.set(name, named(name, "6"));
  const versions = ["alive", "lately", "other-0", "long"].map((name) => seen.get(name)?.metadata.resourceVersion);
  expect(versions).toEqual(["7", "8", "7", "6"]);
});

test("versions that are no numbers have no order: the cache is believed", () => {
  const seen = createSeenSidecarSets({ get: () => at("b") });
  seen.see(at("c"));
  expect(seen.get("mesh")).toEqual(at("b"));
});

test("a read that is behind what was seen before it shows a backup; what is seen meanwhile stays seen", async () => {
  const seen = createSeenSidecarSets({ get: () => at("4") });
  seen.see(at("9", "x:2"));
  const read = await seen.read("mesh", async () => {
    seen.see(at("10", "x:3"));
    return at("9", "x:2");
  });
  expect(read).toEqual(at("10", "x:3"));
  expect(await seen.read("mesh", () => Promise.resolve(undefined))).toBeUndefined();
  expect(seen.get("mesh")).toEqual(at("10", "x:3"));
  expect(await seen.read("mesh", () => Promise.resolve(at("4")))).toEqual(at("4"));
  expect(seen.get("mesh")).toEqual(at("4"));
});

test("a status that the API server takes for out of date is a reason to read", async () => {
  const cluster = new Cluster([injectedPod(sidecarSet())], sidecarSet());
  const conflict = new ApiError("patch sidecarsets", 409, { message: "conflict" });
  cluster.api.faults.failNext({ verb: "patch", plural: "sidecarsets" }, conflict);
  await cluster.start();
  await cluster.settle(1000);
  await cluster.stop();
  const calls = cluster.api.calls.filter(({ resource }) => resource.plural === "sidecarsets");
  expect(calls.map(({ verb }) => verb)).toEqual(expect.arrayContaining(["patch", "get"]));
  expect((await cluster.sidecarSet()).status).toMatchObject({ matchedPods: 1, updatedPods: 1 });
});
