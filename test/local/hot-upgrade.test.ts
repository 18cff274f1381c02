// SPDX-License-Identifier: Apache-2.0
// End to end: the real webhook application, controller, sidecars and hand-over on the embedded cluster, under real load.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RESOURCES } from "@hot/kube";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SIDECAR_SETS, watchFleet, type Fleet } from "../../apps/demo/src/fleet.ts";
import { demoImages } from "../../apps/demo/src/images.ts";
import { startLoad, type Load } from "../../apps/demo/src/load/load.ts";
import { total } from "../../apps/demo/src/load/tally.ts";
import type { Mix } from "../../apps/demo/src/load/traffic.ts";
import { samples } from "../../apps/demo/src/manifests.ts";
import { startPlatform, type Platform } from "../../apps/demo/src/platform.ts";
import { answersSince, upgrade, upgradeToBroken, type Stage } from "../../apps/demo/src/scenario.ts";
import { servingSide, settledOn } from "../../apps/demo/src/settled.ts";

const PODS = 2;
const mix: Mix = {
  keepAlive: { clients: 4, thinkMs: 20 },
  newConnection: { clients: 1, thinkMs: 20 },
  idle: { clients: 5, thinkMs: 1000 },
  slow: { clients: 1, thinkMs: 100 },
};
const image = (version: string): string => `hot/sidecar-demo:${version}`;

let dir: string;
let platform: Platform;
let fleet: Fleet;
let load: Load;
let stage: Stage;
let watching: AbortController;

beforeEach(async () => {
  watching = new AbortController();
  dir = await mkdtemp(join(tmpdir(), "hot-e2e-"));
  platform = await startPlatform({ dir, images: demoImages() });
  const { sidecarSet, deployment } = await samples();
  fleet = watchFleet(platform.api, "app=web", "mesh", watching.signal);
  await platform.api.create(SIDECAR_SETS, sidecarSet);
  const few = { ...deployment, spec: { ...deployment.spec, replicas: PODS } };
  await platform.api.create(RESOURCES.deployments, few, { namespace: "default" });
  await fleet.until("injected and ready pods", 60, () => allOn("v1"));
  const targets = fleet
    .pods()
    .map(({ metadata, status }) => ({ pod: metadata.name!, host: status!.podIP!, port: 9091 }));
  load = startLoad(targets, mix);
  stage = { api: platform.api, fleet, load, sidecarSet: "mesh", base: "sidecar" };
});

afterEach(async () => {
  watching.abort();
  load?.kill();
  await platform?.stop();
  await rm(dir, { recursive: true, force: true });
});

const allOn = (version: string): boolean =>
  fleet.pods().length === PODS && fleet.pods().every((pod) => settledOn(pod, "sidecar", image(version)));

async function nothingFailed(): Promise<void> {
  const { failures, lostConnections, failed, answered, requests } = await load.stop();
  expect({ failures, lost: total(lostConnections), failed: total(failed) }).toEqual({
    failures: [],
    lost: 0,
    failed: 0,
  });
  expect(total(answered)).toBe(total(requests));
  expect(total(answered)).toBeGreaterThan(500);
}

const serving = (): (string | undefined)[] => fleet.pods().map((pod) => servingSide(pod, "sidecar"));

test("three image changes under load, in both directions: nothing fails", async () => {
  expect(serving()).toEqual(["sidecar-1", "sidecar-1"]);
  await upgrade(stage, image("v1"), image("v2"));
  expect(serving()).toEqual(["sidecar-2", "sidecar-2"]);
  await upgrade(stage, image("v2"), image("v3"));
  expect(serving()).toEqual(["sidecar-1", "sidecar-1"]);
  const before = load.latest();
  await upgrade(stage, image("v3"), image("v5"));
  expect(serving()).toEqual(["sidecar-2", "sidecar-2"]);
  await fleet.until("answers of v5", 20, () => "v5/sidecar-2" in answersSince(before, load.latest()));
  await nothingFailed();
});

test.each([
  ["v4", "crashes at its start", /^(PostStartHookFailed|NewSideCrashed)$/],
  ["v0", "cannot be pulled", /^ImagePullFailed$/],
])(
  "an image (%s) that %s is aborted with the reason; the old side goes on, and the next version is fine",
  async (broken, _, why) => {
    const aborted = await upgradeToBroken(stage, image("v1"), image(broken), () => undefined);
    expect(aborted.pods).toBeGreaterThan(0);
    expect(aborted.reason).toMatch(why);
    expect(serving()).toEqual(["sidecar-1", "sidecar-1"]);
    const before = load.latest();
    await fleet.until("answers after the abort", 20, () => Object.keys(answersSince(before, load.latest())).length > 0);
    expect(Object.keys(answersSince(before, load.latest()))).toEqual(["v1/sidecar-1"]);
    await upgrade(stage, image("v1"), image("v2"));
    await nothingFailed();
  },
);
