// SPDX-License-Identifier: Apache-2.0
// The round trip with Kruise, on real pods in the middle of an upgrade: what Kruise began we finish, what we began Kruise
// may finish, and where Kruise sticks we bring the pod to an end. Kruise's writes are those of its own recorded code.
import { parseObject, RECORD_ANNOTATION_PREFIX, type Pod, type SidecarSet } from "@hot/spec";
import { expect, test } from "vitest";
import { SIDECAR_SETS } from "../../apps/demo/src/fleet.ts";
import * as kit from "./kit.ts";
import { replay } from "./kruise-write.ts";
import { injectedState, pairState, pairStates, reset, upgraded } from "./pair-state.ts";
import { containerIDs, expectAppUntouched, statusOf, watchPods, type PodHistory } from "./pod-history.ts";

const PODS = 2;
const SIDES = ["sidecar-1", "sidecar-2"];
const start = injectedState(kit.image("v1"), kit.EMPTY);

const specImage = (pod: Pod, name: string): string | undefined =>
  pod.spec.containers.find((one) => one.name === name)?.image;
const runs = (pod: Pod, name: string): boolean =>
  statusOf(pod, name)?.ready === true && statusOf(pod, name)?.image === specImage(pod, name);
const underWay = (pod: Pod): boolean => pairState(pod).versions.every((version) => version !== "0");
/** What Kruise waits for before it empties the old side. */
const flippable = (pod: Pod): boolean => underWay(pod) && kit.isReady(pod) && SIDES.every((name) => runs(pod, name));
const settled = (pod: Pod): boolean => !underWay(pod) && kit.isReady(pod) && SIDES.every((name) => runs(pod, name));
const record = (pod: Pod): object =>
  parseObject(pod.metadata.annotations?.[`${RECORD_ANNOTATION_PREFIX}sidecar`]) ?? {};
const newVersion = (pod: Pod): string => pairState(pod).versions[pairState(pod).working === SIDES[0] ? 0 : 1];

function all(namespace: string, what: string, wanted: (pod: Pod) => boolean): Promise<Pod[]> {
  return kit.until(
    what,
    async () => {
      const found = await kit.pods(namespace);
      return found.length === PODS && found.every(wanted) && found;
    },
    60_000,
    async () => (await kit.pods(namespace)).map((pod) => [pairState(pod), record(pod), pod.status?.containerStatuses]),
  );
}

async function change(name: string, spec: object): Promise<void> {
  await kit.api().patch(SIDECAR_SETS, name, { type: "merge", body: { spec } });
}

/** Whatever wrote it, no state of a pod has both sides empty, and none of them is seen without a running sidecar. */
function expectNeverBothEmpty(history: PodHistory): void {
  expect(history.all().length).toBeGreaterThan(0);
  for (const pod of history.all()) {
    const serving = SIDES.filter((name) => specImage(pod, name) !== kit.EMPTY);
    expect(serving.length, JSON.stringify(pairState(pod))).toBeGreaterThan(0);
    const running = SIDES.filter((name) => {
      const status = statusOf(pod, name);
      return status?.image !== kit.EMPTY && status?.state?.running !== undefined;
    });
    expect(running.length, JSON.stringify(pod.status?.containerStatuses)).toBeGreaterThan(0);
  }
}

async function expectUpToDate(name: string): Promise<void> {
  kit.waitReady(name);
  const { status } = await kit.getSidecarSet(name);
  expect(status).toMatchObject({ matchedPods: PODS, updatedPods: PODS, readyPods: PODS, updatedReadyPods: PODS });
}

/** Pods with v1 under load and under watch. */
async function begin(
  options: Pick<kit.SidecarSetOptions, "updateStrategy" | "container">,
): Promise<{ name: string; namespace: string; history: PodHistory; end: () => Promise<void> }> {
  const namespace = await kit.namespace();
  const name = kit.unique("mesh");
  const load = kit.startLoad(await kit.injected({ name, namespace, ...options }, PODS));
  const history = await watchPods(namespace);
  const end = async (): Promise<void> => {
    for (const pod of await kit.pods(namespace)) expectAppUntouched(history.of(pod));
    expectNeverBothEmpty(history);
    expect(kit.losses(await load.stop())).toEqual([]);
  };
  return { name, namespace, history, end };
}

test("Kruise begins, we finish, in both directions and although the SidecarSet is paused", async () => {
  // paused: nothing of what follows is begun by us
  const { name, namespace, history, end } = await begin({ updateStrategy: { paused: true } });
  const kruiseUpgrades = async (version: string, round: string): Promise<SidecarSet> => {
    await kit.setVersion(name, version);
    const set = await kit.getSidecarSet(name);
    for (const pod of await kit.pods(namespace)) await replay(round, pod, set);
    return set;
  };

  const second = await kruiseUpgrades("v2", "s0/old-hash-upgrades-second");
  for (const pod of await all(namespace, "finished by us", settled)) {
    const upgrade = upgraded(start, kit.image("v2"), second.metadata.resourceVersion ?? "");
    expect(pairStates(history.of(pod))).toEqual([start, upgrade, reset(upgrade, kit.EMPTY)]);
    expect(record(pod)).toMatchObject({ to: kit.image("v2"), empty: kit.EMPTY, prevHash: "", phase: "reset" });
  }
  await expectUpToDate(name);

  const third = await kruiseUpgrades("v3", "s0/working-two");
  for (const pod of await all(namespace, "finished by us", settled)) {
    const states = pairStates(history.of(pod));
    const upgrade = upgraded(states[2] ?? start, kit.image("v3"), third.metadata.resourceVersion ?? "");
    expect(states.slice(3)).toEqual([upgrade, reset(upgrade, kit.EMPTY)]);
  }
  await change(name, { updateStrategy: { paused: false } });
  await expectUpToDate(name);
  await end();
});

test("we begin, Kruise's writes finish, in both directions, and we go on from there", async () => {
  // such a long soak that no reset can be ours
  const { name, namespace, history, end } = await begin({
    updateStrategy: { hotUpgrade: { minReadySeconds: 600 } },
  });
  const kruiseFinishes = async (version: string, round: string): Promise<Pod[]> => {
    await kit.setVersion(name, version);
    const ready = await all(namespace, "begun by us", flippable);
    const set = await kit.getSidecarSet(name);
    for (const pod of ready) await replay(round, pod, set);
    return all(namespace, "finished by Kruise", settled);
  };

  for (const pod of await kruiseFinishes("v2", "s1/ready-flips")) {
    const upgrade = upgraded(start, kit.image("v2"), newVersion(pod));
    expect(pairStates(history.of(pod))).toEqual([start, upgrade, reset(upgrade, kit.EMPTY)]);
    // written by our upgrade; the reset was not ours
    expect(record(pod)).toMatchObject({ phase: "upgrade" });
  }
  await expectUpToDate(name);

  for (const pod of await kruiseFinishes("v3", "s1/flip-from-two-to-one")) {
    const states = pairStates(history.of(pod));
    const upgrade = upgraded(states[2] ?? start, kit.image("v3"), newVersion(pod));
    expect(states.slice(3)).toEqual([upgrade, reset(upgrade, kit.EMPTY)]);
    expect(record(pod)).toMatchObject({ phase: "upgrade" });
  }
  await expectUpToDate(name);
  await end();
});

test("Kruise sticks after a rollback from a version that hangs: we abort it", async () => {
  const hook = { exec: { command: ["/hot-standby", "migrate", "--name", "sidecar", "--timeout", "5"] } };
  const { name, namespace, history, end } = await begin({ container: { lifecycle: { postStart: hook } } });
  // As Kruise leaves it: the target has the bad image, the hash entry says that all is done, and no further write comes.
  const set = await kit.getSidecarSet(name);
  for (const pod of await kit.pods(namespace)) await replay("s0/old-hash-upgrades-second", pod, set, kit.image("hang"));
  for (const pod of await all(namespace, "aborted by us", settled)) {
    // The kubelet has nothing to do here, so that a list can be ahead of the watch.
    await kit.until("the watch has seen it", () =>
      history.of(pod).some((one) => one.metadata.resourceVersion === pod.metadata.resourceVersion),
    );
    const seen = history.of(pod);
    const upgrade = upgraded(start, kit.image("hang"), set.metadata.resourceVersion ?? "");
    expect(pairStates(seen)).toEqual([start, upgrade, start]);
    expect(containerIDs(seen, "sidecar-1"), "the old side was never stopped").toHaveLength(1);
    expect(record(pod)).toMatchObject({ to: kit.image("hang"), phase: "abort" });
    expect(record(pod)).not.toHaveProperty("failed");
  }
  await expectUpToDate(name);
  await end();
});
