// SPDX-License-Identifier: Apache-2.0
import { RESOURCES } from "@hot/kube";
import { RECORD_ANNOTATION_PREFIX, RETRY_ANNOTATION, type Pod, type SidecarSet } from "@hot/spec";
import { afterEach, describe, expect, test } from "vitest";
import { injectedPod, sidecarSet } from "./support/builders.ts";
import { Cluster, images } from "./support/cluster.ts";
import { SIDECAR_SETS } from "../src/act/write-status.ts";

let cluster: Cluster;
afterEach(() => cluster.stop());

const v1 = sidecarSet({ image: "x:1" });
const OLD = { "x-1": "x:1", "x-2": "e:1" };
const DONE = { "x-1": "e:1", "x-2": "x:2" };

function pods(count: number): Pod[] {
  return Array.from({ length: count }, (_, i) => injectedPod(v1, `web-${i}`));
}

/** `x:2` can't be pulled, so the rollout has stalled. */
async function stalled(count = 3, strategy: SidecarSet["spec"]["updateStrategy"] = {}): Promise<void> {
  cluster = new Cluster(pods(count), sidecarSet({ image: "x:2", strategy }));
  cluster.fateOf = (image) => (image === "x:2" ? "pullError" : "runs");
  await cluster.start();
  await cluster.converge();
  expect(await condition("Stalled")).toMatchObject({ status: "True", reason: "ImagePullFailed" });
}

async function condition(type: string) {
  return (await cluster.sidecarSet()).status?.conditions?.find((one) => one.type === type);
}

async function pairs(): Promise<Record<string, string>[]> {
  return (await cluster.pods()).map((pod) => {
    const { main: _, ...rest } = images(pod);
    return rest;
  });
}

/** As `kubectl annotate` does: no new generation. */
async function annotateSidecarSet(retry: string | null): Promise<void> {
  const body = { metadata: { annotations: { [RETRY_ANNOTATION]: retry } } };
  await cluster.api.patch(SIDECAR_SETS, "mesh", { type: "merge", body });
  await cluster.settle();
}

async function annotatePod(name: string, retry: string): Promise<void> {
  const body = { metadata: { annotations: { [RETRY_ANNOTATION]: retry } } };
  await cluster.api.patch(RESOURCES.pods, name, { type: "merge", body }, { namespace: "ns1" });
  await cluster.settle();
}

const attempts = (): number =>
  cluster.patches().filter(({ body }) => JSON.stringify(body).includes('\\"phase\\":\\"upgrade\\"')).length;

function failedPods(found: readonly Pod[]): string[] {
  return found
    .filter((pod) => pod.metadata.annotations?.[`${RECORD_ANNOTATION_PREFIX}x`]?.includes('"failed"'))
    .map((pod) => pod.metadata.name ?? "");
}

describe("on the SidecarSet", () => {
  test("a new value ends the stall at once, and all is tried again without a new generation", async () => {
    await stalled();
    cluster.fateOf = () => "runs";
    await annotateSidecarSet("1");
    expect(await condition("Stalled")).toMatchObject({ status: "False" });
    expect((await cluster.sidecarSet()).status).toMatchObject({ observedRetry: "1", failedPods: 0 });
    await cluster.converge();
    expect(await pairs()).toEqual([DONE, DONE, DONE]);
    expect(await condition("Ready")).toMatchObject({ status: "True", observedGeneration: 2 });
  });

  test("what fails again stalls again, and is not tried until the value is another one, also after a restart", async () => {
    await stalled();
    expect(attempts()).toBe(1);
    await annotateSidecarSet("1");
    await cluster.converge();
    expect(attempts()).toBe(2);
    expect(await condition("Stalled")).toMatchObject({ status: "True", reason: "ImagePullFailed" });
    await cluster.restart();
    await cluster.converge();
    await annotateSidecarSet("1");
    await cluster.converge();
    expect(attempts()).toBe(2);
    // Whoever clears the annotation away asks for nothing, and the same value is still no other one.
    await annotateSidecarSet(null);
    await cluster.converge();
    await annotateSidecarSet("1");
    await cluster.converge();
    expect(attempts()).toBe(2);
    await annotateSidecarSet("2");
    await cluster.converge();
    expect(attempts()).toBe(3);
    expect(await pairs()).toEqual([OLD, OLD, OLD]);
  });

  test("a second stall is told of as the first was", async () => {
    await stalled();
    const told = () => cluster.events.filter((one) => one.reason === "RolloutStalled").length;
    expect(told()).toBe(1);
    await annotateSidecarSet("1");
    await cluster.converge();
    expect(told()).toBe(2);
  });

  test("the event of the new attempt says that it is one", async () => {
    await stalled(1);
    await annotateSidecarSet("1");
    const starts = cluster.events.filter((one) => one.reason === "HotUpgradeStarted" && one.on === "web-0");
    expect(starts.map((one) => one.note.startsWith("HOT1008 Retried: "))).toEqual([false, true]);
  });

  test("what is under way when the value changes counts as an attempt for the new value", async () => {
    cluster = new Cluster(pods(1), sidecarSet({ image: "x:2" }));
    await cluster.start();
    await annotateSidecarSet("1");
    cluster.fateOf = (image) => (image === "x:2" ? "pullError" : "runs");
    await cluster.converge();
    expect(attempts()).toBe(1);
    expect(await condition("Stalled")).toMatchObject({ status: "True" });
  });
});

describe("on a pod", () => {
  test("only this pod is tried again, and the stall holds for the others, whether it works or not", async () => {
    await stalled();
    const [name = ""] = failedPods(await cluster.pods());
    cluster.fateOf = () => "runs";
    await annotatePod(name, "1");
    await cluster.converge();
    expect(images(await cluster.pod(name))).toMatchObject(DONE);
    expect((await pairs()).filter((one) => one["x-2"] === "e:1")).toHaveLength(2);
    expect(await condition("Stalled")).toMatchObject({ status: "True" });
    // It worked: now for all.
    await annotateSidecarSet("1");
    await cluster.converge();
    expect(await pairs()).toEqual([DONE, DONE, DONE]);
  });

  test("it was the last one: what has proved good has not stalled", async () => {
    await stalled(2, { maxUnavailable: 2, hotUpgrade: { failureThreshold: 2 } });
    cluster.fateOf = () => "runs";
    await annotatePod("web-0", "1");
    await cluster.converge();
    expect(await condition("Ready")).toMatchObject({ status: "False", reason: "Stalled" });
    expect(await condition("Stalled")).toMatchObject({ status: "True" });
    await annotatePod("web-1", "1");
    await cluster.converge();
    expect(await pairs()).toEqual([DONE, DONE]);
    expect(await condition("Ready")).toMatchObject({ status: "True" });
    expect(await condition("Stalled")).toMatchObject({ status: "False" });
  });

  test("it fails again, once", async () => {
    await stalled();
    const [name = ""] = failedPods(await cluster.pods());
    await annotatePod(name, "1");
    await cluster.converge();
    expect(attempts()).toBe(2);
    expect(failedPods(await cluster.pods())).toEqual([name]);
    await cluster.restart();
    await cluster.converge();
    expect(attempts()).toBe(2);
    expect(await condition("Stalled")).toMatchObject({ status: "True" });
  });

  test("a pod that has not failed starts by it no sooner", async () => {
    await stalled();
    const failed = failedPods(await cluster.pods());
    const other = ["web-0", "web-1", "web-2"].find((name) => !failed.includes(name)) ?? "";
    await annotatePod(other, "1");
    await cluster.converge();
    expect(attempts()).toBe(1);
  });

  test("a pause holds it back as any other", async () => {
    await stalled(2);
    const [name = ""] = failedPods(await cluster.pods());
    const current = await cluster.sidecarSet();
    cluster.api.seed(SIDECAR_SETS, {
      ...current,
      spec: { ...current.spec, updateStrategy: { ...current.spec.updateStrategy, paused: true } },
    });
    await annotatePod(name, "1");
    await cluster.converge();
    expect(attempts()).toBe(1);
  });
});
