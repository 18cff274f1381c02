// SPDX-License-Identifier: Apache-2.0
// The article's SidecarSet in its own form: v1alpha1, `hotUpgradeEmptyImage` beside `upgradeStrategy`, no probe.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, RESOURCES, type Resource } from "@hot/kube";
import type { SidecarSet } from "@hot/spec";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parse } from "yaml";
import { SIDECAR_SETS, watchFleet } from "../../apps/demo/src/fleet.ts";
import { demoImages, root } from "../../apps/demo/src/images.ts";
import { startPlatform, type Platform } from "../../apps/demo/src/platform.ts";
import { servingSide, settledOn } from "../../apps/demo/src/settled.ts";

const V1ALPHA1: Resource = { ...SIDECAR_SETS, version: "v1alpha1" };
const NAME = "hotupgrade-sidecarset";
const image = (tag: string): string => `openkruise/hotupgrade-sample:${tag}`;

let dir: string;
let platform: Platform;
const watching = new AbortController();

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "hot-article-"));
  platform = await startPlatform({ dir, images: demoImages() });
});

afterEach(async () => {
  watching.abort();
  await platform?.stop();
  await rm(dir, { recursive: true, force: true });
});

test("applied as printed: two warnings, two containers, and it is upgraded", async () => {
  const manifest = parse(await readFile(join(root, "samples/article/sidecarset.yaml"), "utf8")) as SidecarSet;
  const warnings: string[] = [];
  await using api = connect({ kubeconfig: platform.kubeconfigPath, onWarning: (text) => warnings.push(text) });
  await api.create(V1ALPHA1, manifest);
  expect(warnings.map((text) => /HOT\d{4}/.exec(text)?.[0])).toEqual(["HOT3902", "HOT3903"]);

  const stored = await api.get<SidecarSet>(SIDECAR_SETS, NAME);
  expect(stored.spec.containers?.[0]?.upgradeStrategy).toEqual({
    upgradeType: "HotUpgrade",
    hotUpgradeEmptyImage: image("empty"),
  });

  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "busybox", namespace: "default", labels: { app: "hotupgrade" } },
    spec: { containers: [{ name: "app", image: "hot/demo-app:v1" }] },
  };
  await api.create(RESOURCES.pods, pod);
  const fleet = watchFleet(api, "app=hotupgrade", NAME, watching.signal);
  const settled = (tag: string) => (): boolean =>
    fleet.pods().length === 1 && fleet.pods().every((one) => settledOn(one, "sidecar", image(tag)));
  await fleet.until("an injected, ready pod", 60, settled("sidecarv1"));

  const body = [{ op: "replace", path: "/spec/containers/0/image", value: image("sidecarv2") }];
  await api.patch(V1ALPHA1, NAME, { type: "json", body });
  await fleet.until("the hot upgrade", 60, settled("sidecarv2"));
  expect(servingSide(fleet.pods()[0]!, "sidecar")).toBe("sidecar-2");
  const answer = await fetch(`http://${fleet.pods()[0]!.status!.podIP}:9091/`);
  expect(answer.headers.get("x-sidecar-version")).toBe("v2");
});
