// SPDX-License-Identifier: Apache-2.0
// What a user may do to a rollout while it is under way, on real containers. The application is never touched.
import { RECORD_ANNOTATION_PREFIX, HASH_ANNOTATION, IN_PLACE_STATE_ANNOTATION, parseObject, type Pod } from "@hot/spec";
import { expect, test } from "vitest";
import { SIDECAR_SETS } from "../../apps/demo/src/fleet.ts";
import {
  api,
  EMPTY,
  getSidecarSet,
  image,
  injected,
  isReady,
  kubectl,
  losses,
  namespace,
  pods,
  setVersion,
  startLoad,
  unique,
  until,
  waitReady,
} from "./kit.ts";
import { injectedState, pairState, pairStates, reset, upgraded } from "./pair-state.ts";
import { containerIDs, expectAppUntouched, statusOf, watchPods } from "./pod-history.ts";

const HOOK_SECONDS = 5;
/** `hang` runs, but never takes over; its hook ends by itself. */
const boundedHook = {
  lifecycle: {
    postStart: {
      exec: { command: ["/hot-standby", "migrate", "--name", "sidecar", "--timeout", String(HOOK_SECONDS)] },
    },
  },
};
const start = injectedState(image("v1"), EMPTY);

const underWay = (pod: Pod): boolean => pairState(pod).versions.every((version) => version !== "0");
/** The new side runs and says that it has taken over. */
const takenOver = (pod: Pod): boolean => {
  const { working } = pairState(pod);
  const status = statusOf(pod, working);
  return underWay(pod) && isReady(pod) && status?.image === specImage(pod, working) && status?.ready === true;
};
const settled = (pod: Pod): boolean =>
  !underWay(pod) &&
  isReady(pod) &&
  ["sidecar-1", "sidecar-2"].every((name) => statusOf(pod, name)?.image === specImage(pod, name));
const specImage = (pod: Pod, name: string): string | undefined =>
  pod.spec.containers.find((one) => one.name === name)?.image;
const hashEntry = (pod: Pod, name: string): unknown =>
  (parseObject(pod.metadata.annotations?.[HASH_ANNOTATION])?.[name] as { hash?: string } | undefined)?.hash;
const record = (pod: Pod): Record<string, unknown> | undefined =>
  parseObject(pod.metadata.annotations?.[`${RECORD_ANNOTATION_PREFIX}sidecar`]);

/** Polls until every pod is as wanted. */
function all(ns: string, what: string, wanted: (pod: Pod) => boolean, limitMs = 60_000): Promise<Pod[]> {
  const check = async (): Promise<Pod[] | false> => {
    const found = await pods(ns);
    return found.length > 0 && found.every(wanted) && found;
  };
  const seen = async (): Promise<unknown> =>
    (await pods(ns)).map((pod) => [pairState(pod), pod.status?.containerStatuses, pod.status?.conditions]);
  return until(what, check, limitMs, seen);
}

async function change(name: string, spec: object): Promise<number> {
  const { metadata } = await api().patch(SIDECAR_SETS, name, { type: "merge", body: { spec } });
  return metadata.generation ?? 0;
}

const observed = (name: string, generation: number): Promise<unknown> =>
  until(
    `generation ${generation} is observed`,
    async () => ((await getSidecarSet(name)).status?.observedGeneration ?? 0) >= generation,
    30_000,
    async () => (await getSidecarSet(name)).status,
  );

test("a cold sidecar is changed in place, one pod at a time", async () => {
  const ns = await namespace();
  const name = unique("cold");
  const container = { upgradeStrategy: undefined, lifecycle: undefined, readinessProbe: undefined };
  const before = await injected({ name, namespace: ns, container, updateStrategy: { maxUnavailable: 1 } }, 2);
  const history = await watchPods(ns);
  await setVersion(name, "v2");
  waitReady(name);
  const after = await pods(ns);
  expect(after.map(({ metadata }) => metadata.uid)).toEqual(before.map(({ metadata }) => metadata.uid));
  const set = await getSidecarSet(name);
  expect(set.status).toMatchObject({ matchedPods: 2, updatedPods: 2, readyPods: 2, updatedReadyPods: 2 });
  for (const [index, pod] of after.entries()) {
    expect(pod.spec.containers.map((one) => one.name).sort()).toEqual(["app", "sidecar"]);
    expect(statusOf(pod, "sidecar")).toMatchObject({ image: image("v2"), ready: true, restartCount: 1 });
    expect(containerIDs(history.of(pod), "sidecar")).toHaveLength(2);
    expectAppUntouched(history.of(pod));
    expect(hashEntry(pod, name)).toBe(set.metadata.annotations?.[HASH_ANNOTATION]);
    const imageID = statusOf(before[index] ?? pod, "sidecar")?.imageID;
    expect(parseObject(pod.metadata.annotations?.[IN_PLACE_STATE_ANNOTATION])?.[name]).toMatchObject({
      lastContainerStatuses: { sidecar: { imageID } },
    });
    expect(Object.keys(pod.metadata.annotations ?? {}).filter((key) => key.includes("version"))).toEqual([]);
  }
  // at every write of any pod, at most one is on its way to the new image or not Ready
  const now = new Map(before.map((pod) => [pod.metadata.uid, pod]));
  const away = (pod: Pod): boolean => !isReady(pod) || statusOf(pod, "sidecar")?.image !== specImage(pod, "sidecar");
  for (const pod of history.all()) {
    now.set(pod.metadata.uid, pod);
    expect([...now.values()].filter(away).length).toBeLessThanOrEqual(1);
  }
});

test("paused: what has begun is finished, nothing new begins until it is resumed", async () => {
  const ns = await namespace();
  const name = unique("mesh");
  const updateStrategy = { maxUnavailable: 1, hotUpgrade: { minReadySeconds: 2 } };
  const load = startLoad(await injected({ name, namespace: ns, updateStrategy }, 2));
  const history = await watchPods(ns);
  await setVersion(name, "v2");
  await until("the first upgrade", async () => (await pods(ns)).some(underWay));
  await observed(name, await change(name, { updateStrategy: { paused: true } }));
  const begun = (found: Pod[]): unknown[] =>
    found.filter((pod) => pairState(pod).versions[1] !== "0").map(({ metadata }) => metadata.name);
  const frozen = begun(await pods(ns));
  expect(frozen).toHaveLength(1);
  await all(ns, "the upgrade that had begun is finished", settled);
  expect((await getSidecarSet(name)).status?.conditions).toContainEqual(
    expect.objectContaining({ type: "Paused", status: "True" }),
  );
  // another whole round after the last reset
  await observed(name, await change(name, { revisionHistoryLimit: 9 }));
  const paused = await pods(ns);
  expect(begun(paused)).toEqual(frozen);
  expect((await getSidecarSet(name)).status).toMatchObject({ matchedPods: 2, updatedPods: 1, readyPods: 2 });

  await change(name, { updateStrategy: { paused: false } });
  waitReady(name);
  for (const pod of await all(ns, "all upgraded", settled)) {
    const seen = history.of(pod);
    const upgrade = upgraded(start, image("v2"), pairState(pod).versions[1]);
    expect(pairStates(seen)).toEqual([start, upgrade, reset(upgrade, EMPTY)]);
    expectAppUntouched(seen);
  }
  expect(losses(await load.stop())).toEqual([]);
});

test("rolled back before the takeover: aborted, the old side was never stopped", async () => {
  const ns = await namespace();
  const name = unique("mesh");
  const load = startLoad(await injected({ name, namespace: ns, container: boundedHook }, 1));
  const history = await watchPods(ns);
  await setVersion(name, "hang");
  await all(ns, "upgrades under way", underWay);
  await setVersion(name, "v1");
  waitReady(name);
  const hash = (await getSidecarSet(name)).metadata.annotations?.[HASH_ANNOTATION];
  for (const pod of await all(ns, "settled on v1", settled)) {
    const seen = history.of(pod);
    const hanging = seen.map((one) => pairState(one)).find(({ versions }) => versions[1] !== "0");
    // emptied again, it is as if nothing had been
    expect(pairStates(seen)).toEqual([start, upgraded(start, image("hang"), hanging?.versions[1] ?? ""), start]);
    expect(containerIDs(seen, "sidecar-1")).toHaveLength(1);
    expectAppUntouched(seen);
    expect(hashEntry(pod, name)).toBe(hash);
    expect(record(pod)).toMatchObject({ phase: "abort", sidecarSet: name });
    expect(record(pod)).not.toHaveProperty("failed");
  }
  expect(losses(await load.stop())).toEqual([]);
});

test("rolled back after the takeover: finished, then upgraded back", async () => {
  const ns = await namespace();
  const name = unique("mesh");
  const updateStrategy = { hotUpgrade: { minReadySeconds: 3 } };
  const load = startLoad(await injected({ name, namespace: ns, updateStrategy }, 1));
  const history = await watchPods(ns);
  await setVersion(name, "v2");
  await all(ns, "takeovers", takenOver);
  await setVersion(name, "v1");
  waitReady(name);
  for (const pod of await all(ns, "settled on v1", settled)) {
    const seen = history.of(pod);
    const [v2 = "", v1 = ""] = [1, 3].map((at) => {
      const state = pairStates(seen)[at];
      return state?.versions[state.working.endsWith("1") ? 0 : 1];
    });
    const there = upgraded(start, image("v2"), v2);
    const finished = reset(there, EMPTY);
    const back = upgraded(finished, image("v1"), v1);
    expect(pairStates(seen)).toEqual([start, there, finished, back, reset(back, EMPTY)]);
    expect(BigInt(v1)).toBeGreaterThan(BigInt(v2));
    expectAppUntouched(seen);
  }
  expect(losses(await load.stop())).toEqual([]);
});

/** Deletes the SidecarSet of a pod at a certain moment of their upgrade: it is brought to an end without it. */
async function deletedWhen(version: string, reached: (pod: Pod) => boolean): Promise<void> {
  const ns = await namespace();
  const name = unique("mesh");
  const updateStrategy = { hotUpgrade: { minReadySeconds: 3 } };
  const load = startLoad(
    await injected({ name, namespace: ns, updateStrategy, ...(version === "hang" && { container: boundedHook }) }, 1),
  );
  const before = hashEntry((await pods(ns))[0] as Pod, name);
  const history = await watchPods(ns);
  await setVersion(name, version);
  const upgrading = await all(ns, "upgrades under way", reached);
  kubectl(["delete", "sidecarset", name, "--wait"]);
  expect((await pods(ns)).every(underWay), "both sides are in use when it is gone").toBe(true);
  for (const pod of await all(ns, "settled", settled)) {
    const seen = history.of(pod);
    const upgrade = upgraded(start, image(version), pairState(upgrading[0] as Pod).versions[1]);
    expect(pairStates(seen)).toEqual([start, upgrade, version === "hang" ? start : reset(upgrade, EMPTY)]);
    expectAppUntouched(seen);
    if (version !== "hang") continue;
    expect(containerIDs(seen, "sidecar-1"), "the old side was never stopped").toHaveLength(1);
    expect(hashEntry(pod, name)).toBe(before);
    expect(record(pod)).toMatchObject({ phase: "abort", failed: { reason: "PostStartHookFailed" } });
  }
  expect(losses(await load.stop())).toEqual([]);
}

test("the SidecarSet is deleted: finished after the takeover, aborted when there is none", async () => {
  await Promise.all([deletedWhen("v2", takenOver), deletedWhen("hang", underWay)]);
});
