// SPDX-License-Identifier: Apache-2.0
// Containers whose probe proves little, and one whose empty image comes back too often. Side by side, in a namespace
// each, because most of it is waiting.
import type { Pod } from "@hot/spec";
import { expect, test } from "vitest";
import { noted, notes, podWhere, settled, sideBySide, underWay } from "./fault.ts";
import {
  EMPTY,
  getSidecarSet,
  image,
  injected,
  losses,
  namespace,
  PROXY_PORT,
  setVersion,
  startLoad,
  unique,
  until,
} from "./kit.ts";
import { pairState, pairStates } from "./pair-state.ts";
import { containerIDs, expectAppUntouched, statusOf, watchPods } from "./pod-history.ts";

const runs = (pod: Pod, name: string, version: string): boolean => statusOf(pod, name)?.image === image(version);

/** The only pod of a namespace, upgraded from v1 to v2 and reset. */
async function settledOnV2(ns: string): Promise<Pod> {
  const pod = await podWhere(ns, "settled on v2", (one) => settled(one) && runs(one, "sidecar-2", "v2"));
  expect(pairState(pod)).toMatchObject({ images: [EMPTY, image("v2")], working: "sidecar-2" });
  return pod;
}

const unproven = (ns: string): Promise<string> =>
  until("the event TakeoverUnproven", async () => (await notes(ns, "TakeoverUnproven"))[0]);

const containersReadyAt = (pod: Pod): number => {
  const condition = pod.status?.conditions?.find(({ type }) => type === "ContainersReady");
  return condition?.status === "True" ? Date.parse(condition.lastTransitionTime ?? "") : NaN;
};

/** The ready that is left over from the empty container is not what leads to the reset. */
async function onlyStartupProbe(): Promise<void> {
  const ns = await namespace();
  const name = unique("startup");
  const startupProbe = {
    exec: { command: ["/hot-standby", "probe", "--name", "sidecar"] },
    periodSeconds: 1,
    failureThreshold: 99,
  };
  const container = { lifecycle: undefined, readinessProbe: undefined, startupProbe };
  const load = startLoad(await injected({ name, namespace: ns, container }, 1));
  const history = await watchPods(ns);
  await setVersion(name, "v2");
  const after = await settledOnV2(ns);
  expect(pairStates(history.all()), "injected, upgraded, reset").toHaveLength(3);

  const reports = history.all().filter((pod) => underWay(pod) && runs(pod, "sidecar-2", "v2"));
  expect(statusOf(reports[0] ?? after, "sidecar-2"), "the false receipt").toMatchObject({ ready: true, started: true });
  const last = reports.at(-1) ?? after;
  const startedAt = Date.parse(statusOf(last, "sidecar-2")?.state?.running?.startedAt ?? "");
  expect(containersReadyAt(last), "ready that nothing is left over of").toBeGreaterThan(startedAt);
  expect(await unproven(ns)).toContain("exec readinessProbe");
  expectAppUntouched(history.all());
  expect(losses(await load.stop())).toEqual([]);
}

const httpGet = { httpGet: { path: "/", port: PROXY_PORT }, periodSeconds: 1 };

/** The old side answers the new side's probe: nothing can prove or disprove the takeover, and that is said. */
async function wrongSideAnswers(): Promise<void> {
  const ns = await namespace();
  const name = unique("http");
  const updateStrategy = { hotUpgrade: { minReadySeconds: 15 } };
  const container = { lifecycle: undefined, readinessProbe: httpGet };
  const load = startLoad(await injected({ name, namespace: ns, updateStrategy, container }, 1));
  const history = await watchPods(ns);
  await setVersion(name, "hang");
  // this image listens nowhere
  await podWhere(
    ns,
    "the old side's answer",
    (pod) => underWay(pod) && runs(pod, "sidecar-2", "hang") && statusOf(pod, "sidecar-2")?.ready === true,
  );
  expect(losses(await load.stop())).toEqual([]);
  expect(containerIDs(history.all(), "sidecar-1")).toHaveLength(1);
  expect(await notes(ns, "TakeoverUnproven")).toEqual([]);
  expect(await unproven(ns)).toContain("exec readinessProbe");
}

/** With a version that takes over by itself nothing is lost, whoever answers. */
async function eitherSideAnswers(): Promise<void> {
  const ns = await namespace();
  const name = unique("either");
  const container = { lifecycle: undefined, readinessProbe: httpGet };
  const load = startLoad(await injected({ name, namespace: ns, container }, 1));
  const history = await watchPods(ns);
  await setVersion(name, "v2");
  await settledOnV2(ns);
  await unproven(ns);
  expectAppUntouched(history.all());
  expect(losses(await load.stop())).toEqual([]);
}

const ready = async (name: string): Promise<(object & { reason?: string }) | undefined> =>
  (await getSidecarSet(name)).status?.conditions?.find(({ type }) => type === "Ready");

/** The kubelet starts an image late that comes back for the second time in a short while; that is waited for. */
async function imageReused(): Promise<void> {
  const ns = await namespace();
  const name = unique("again");
  const load = startLoad(await injected({ name, namespace: ns }, 1));
  const history = await watchPods(ns);
  await setVersion(name, "missing");
  await podWhere(ns, "settled after the first abort", (pod) => noted(pod)?.phase === "abort" && settled(pod));
  await setVersion(name, "missing-too");
  const held = await podWhere(
    ns,
    "the back-off of the empty image",
    (pod) => !underWay(pod) && statusOf(pod, "sidecar-2")?.state?.waiting?.reason === "CrashLoopBackOff",
  );
  expect(pairState(held)).toMatchObject({ images: [image("v1"), EMPTY], working: "sidecar-1" });
  await setVersion(name, "v2");
  await until(
    "the reason",
    async () => (await ready(name))?.reason === "StandbyBackOff",
    9000,
    () => ready(name),
  );
  expect(containerIDs(history.all(), "sidecar-1"), "the old side was never stopped").toHaveLength(1);
  const after = await settledOnV2(ns);
  expect(noted(after)).not.toHaveProperty("failed");
  expect(pairStates(history.all()), "injected, three upgrades, two aborts, one reset").toHaveLength(7);
  expectAppUntouched(history.all());
  expect(losses(await load.stop())).toEqual([]);
}

test("weak probes and a reused image: each reset is what it claims to be, and nothing is lost by it", async () => {
  await sideBySide({
    "only a startupProbe": onlyStartupProbe,
    "an httpGet probe that the old side answers": wrongSideAnswers,
    "an httpGet probe that either side answers": eitherSideAnswers,
    "image reused": imageReused,
  });
});
