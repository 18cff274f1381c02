// SPDX-License-Identifier: Apache-2.0
// End to end: what becomes of a stalled rollout, with the real webhook application, controller and sidecars.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RESOURCES } from "@hot/kube";
import { RETRY_ANNOTATION } from "@hot/spec";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SIDECAR_SETS, watchFleet, type Fleet } from "../../apps/demo/src/fleet.ts";
import { demoImages } from "../../apps/demo/src/images.ts";
import { samples } from "../../apps/demo/src/manifests.ts";
import { startPlatform, type Platform } from "../../apps/demo/src/platform.ts";
import { settledOn } from "../../apps/demo/src/settled.ts";

const image = (version: string): string => `hot/sidecar-demo:${version}`;
/** Not in the catalogue, so it can't be pulled. */
const BROKEN = image("v0");

let dir: string;
let platform: Platform;
let fleet: Fleet;
let watching: AbortController;

beforeEach(async () => {
  watching = new AbortController();
  dir = await mkdtemp(join(tmpdir(), "hot-stalled-"));
  platform = await startPlatform({ dir, images: demoImages() });
  const { sidecarSet, deployment } = await samples();
  fleet = watchFleet(platform.api, "app=web", "mesh", watching.signal);
  const { spec } = sidecarSet;
  const updateStrategy = { ...spec.updateStrategy, hotUpgrade: { newPodsWhenStalled: "LastGood" as const } };
  await platform.api.create(SIDECAR_SETS, { ...sidecarSet, spec: { ...spec, updateStrategy } });
  await platform.api.create(
    RESOURCES.deployments,
    { ...deployment, spec: { ...deployment.spec, replicas: 1 } },
    { namespace: "default" },
  );
  await allOn(1, "v1");
});

afterEach(async () => {
  watching.abort();
  await platform?.stop();
  await rm(dir, { recursive: true, force: true });
});

function allOn(count: number, version: string): Promise<void> {
  return fleet.until(`${count} pods on ${version}`, 60, () => {
    const pods = fleet.pods();
    return pods.length === count && pods.every((pod) => settledOn(pod, "sidecar", image(version)));
  });
}

const setImage = (value: string) =>
  platform.api.patch(SIDECAR_SETS, "mesh", {
    type: "json",
    body: [{ op: "replace", path: "/spec/containers/0/image", value }],
  });

const isStalled = (): boolean =>
  fleet
    .sidecarSet()
    ?.status?.conditions?.some(
      ({ type, status, observedGeneration }) =>
        type === "Stalled" && status === "True" && observedGeneration === fleet.sidecarSet()?.metadata.generation,
    ) ?? false;

test("a pod made meanwhile gets the last good revision; a retry tries again and fails again; a good image goes to all", async () => {
  await fleet.until("a last good revision", 20, () => fleet.sidecarSet()?.status?.lastGoodRevision !== undefined);
  await setImage(BROKEN);
  await fleet.until("the stall", 60, isStalled);
  await allOn(1, "v1");

  await platform.api.patch(
    RESOURCES.deployments,
    "web",
    { type: "merge", body: { spec: { replicas: 2 } } },
    { namespace: "default" },
  );
  await allOn(2, "v1");
  expect(fleet.sidecarSet()?.status).toMatchObject({ updatedPods: 0, failedPods: 1 });

  const body = { metadata: { annotations: { [RETRY_ANNOTATION]: "1" } } };
  await platform.api.patch(SIDECAR_SETS, "mesh", { type: "merge", body });
  const tries = (): number => fleet.pods().filter((pod) => JSON.stringify(pod).includes('\\"retry\\":\\"1\\"')).length;
  await fleet.until("the failure of another attempt", 60, () => tries() > 0 && isStalled());
  expect(fleet.sidecarSet()?.status?.observedRetry).toBe("1");

  await setImage(image("v2"));
  await allOn(2, "v2");
}, 240_000);
