// SPDX-License-Identifier: Apache-2.0
// Versions that can't be upgraded to, on a real kubelet: the old side serves on, nothing is lost, the reason is on the
// object. The versions of one test fail side by side, in a namespace each, because most of it is waiting.
import { expect, test } from "vitest";
import type { Pod } from "@hot/spec";
import {
  aborted,
  expectOldSideKept,
  expectReason,
  hook,
  noted,
  podWhere,
  settled,
  sideBySide,
  underWay,
} from "./fault.ts";
import { image, injected, losses, namespace, setVersion, startLoad, unique } from "./kit.ts";
import { statusOf, watchPods } from "./pod-history.ts";

interface BadVersion {
  readonly version: string;
  readonly hookSeconds: number;
  readonly progressDeadlineSeconds: number;
  readonly minReadySeconds?: number;
  /** One of them: which the kubelet reports first is a race. */
  readonly reasons: readonly string[];
}

const LATE = 90;
const badVersions: Record<string, BadVersion> = {
  "image missing": {
    version: "missing",
    hookSeconds: 30,
    progressDeadlineSeconds: LATE,
    reasons: ["ImagePullFailed"],
  },
  "hook fails": { version: "hang", hookSeconds: 3, progressDeadlineSeconds: LATE, reasons: ["PostStartHookFailed"] },
  "process ends at once": {
    version: "broken",
    hookSeconds: 30,
    progressDeadlineSeconds: LATE,
    reasons: ["PostStartHookFailed", "NewSideCrashed"],
  },
  "process ends after its takeover": {
    version: "crash-later",
    hookSeconds: 30,
    progressDeadlineSeconds: LATE,
    minReadySeconds: 20,
    reasons: ["NewSideCrashed"],
  },
};

async function fail(bad: BadVersion): Promise<void> {
  const { version, hookSeconds, progressDeadlineSeconds, minReadySeconds = 0, reasons } = bad;
  const ns = await namespace();
  const name = unique("bad");
  const updateStrategy = { hotUpgrade: { progressDeadlineSeconds, minReadySeconds } };
  const load = startLoad(
    await injected({ name, namespace: ns, updateStrategy, container: { lifecycle: hook(hookSeconds) } }, 1),
  );
  const history = await watchPods(ns);
  await setVersion(name, version);
  const failed = await aborted(ns);
  const { failed: failure, deadlineAt = "" } = noted(failed) ?? {};
  expect(Date.parse(failure?.at ?? ""), "known before the deadline").toBeLessThan(Date.parse(deadlineAt));
  await expectReason(ns, name, failed, reasons);
  expectOldSideKept(await podWhere(ns, "settled on v1", settled), history.all());
  const report = await load.stop();
  if (version !== "crash-later") expect(losses(report)).toEqual([]);
  // what a process was answering when it died is lost with it; nobody is refused, before or after
  else expect(losses(report).filter((one) => one.includes("ECONNREFUSED"))).toEqual([]);
}

test("a bad version is aborted long before the deadline, each for its reason", async () => {
  await sideBySide(Object.fromEntries(Object.entries(badVersions).map(([name, bad]) => [name, () => fail(bad)])));
});

/** Aborted at the deadline, in the middle of the hook, which ends without a loss. */
async function hookHangs(): Promise<void> {
  const ns = await namespace();
  const name = unique("hang");
  const updateStrategy = { hotUpgrade: { progressDeadlineSeconds: 4 } };
  const load = startLoad(
    await injected({ name, namespace: ns, updateStrategy, container: { lifecycle: hook(16) } }, 1),
  );
  const history = await watchPods(ns);
  await setVersion(name, "hang");
  const pod = await aborted(ns, 15_000);
  // the kubelet says nothing of the container in its hook, so this is still the one before the upgrade
  expect(statusOf(pod, "sidecar-2")?.containerID).toBe(noted(pod)?.containerID);
  expect(statusOf(pod, "sidecar-2")).toMatchObject({ ready: true });
  await expectReason(ns, name, pod, ["ProgressDeadlineExceeded"]);
  // the kubelet has seen the write (the receipt's first term) while the container is the old one: it proves nothing alone
  const upgrading = history.all().find((one) => underWay(one));
  const generation = noted(upgrading ?? pod)?.generation ?? Infinity;
  expect(upgrading?.metadata.generation).toBe(generation);
  const seen = history.all().find((one) => underWay(one) && (one.status?.observedGeneration ?? 0) >= generation);
  expect(seen && statusOf(seen, "sidecar-2")?.containerID).toBe(noted(pod)?.containerID);
  expectOldSideKept(await hookEnded(ns), history.all());
  expect(losses(await load.stop())).toEqual([]);
}

/** Settled, by the kubelet's word: the standby is another container than before the upgrade. */
const hookEnded = (ns: string): Promise<Pod> =>
  podWhere(
    ns,
    "settled on v1 after the hook",
    (pod) => settled(pod) && statusOf(pod, "sidecar-2")?.containerID !== noted(pod)?.containerID,
  );

/** The API never shows the new side, which owned the sockets: the old one takes back. */
async function takeoverThenAbort(): Promise<void> {
  const ns = await namespace();
  const name = unique("back");
  const updateStrategy = { hotUpgrade: { progressDeadlineSeconds: 15 } };
  // this hook waits for something else than the takeover, and in vain
  const container = { lifecycle: hook(30, "nobody") };
  const load = startLoad(await injected({ name, namespace: ns, updateStrategy, container }, 1));
  const history = await watchPods(ns);
  await setVersion(name, "v2");
  const pod = await aborted(ns, 40_000);
  const answers = (): string[] =>
    Object.keys(load.report().answersBySidecar[pod.metadata.name ?? ""] ?? {}).map((by) => by.split("/")[0] ?? "");
  expect(answers(), "v2 had taken over").toContain("v2");
  expect(statusOf(pod, "sidecar-2")?.containerID).toBe(noted(pod)?.containerID);
  await expectReason(ns, name, pod, ["ProgressDeadlineExceeded"]);
  expectOldSideKept(await hookEnded(ns), history.all());
  expect(losses(await load.stop())).toEqual([]);
}

/** The ready that is left over from the empty container is no receipt. */
async function onlyStartupProbe(): Promise<void> {
  const ns = await namespace();
  const name = unique("startup");
  const updateStrategy = { hotUpgrade: { progressDeadlineSeconds: 8 } };
  const probe = {
    exec: { command: ["/hot-standby", "probe", "--name", "sidecar"] },
    periodSeconds: 1,
    failureThreshold: 99,
  };
  const container = { lifecycle: undefined, readinessProbe: undefined, startupProbe: probe };
  const load = startLoad(await injected({ name, namespace: ns, updateStrategy, container }, 1));
  const history = await watchPods(ns);
  await setVersion(name, "hang");
  const pod = await aborted(ns, 30_000);
  const left = history.all().filter((one) => underWay(one) && statusOf(one, "sidecar-2")?.image === image("hang"));
  expect(
    left.some((one) => statusOf(one, "sidecar-2")?.ready),
    "the kubelet said so",
  ).toBe(true);
  await expectReason(ns, name, pod, ["ProgressDeadlineExceeded"]);
  expectOldSideKept(await podWhere(ns, "settled on v1", settled), history.all());
  expect(losses(await load.stop())).toEqual([]);
}

test("a version that never proves its takeover is aborted at the deadline", async () => {
  await sideBySide({
    "ABORT while the hook hangs": hookHangs,
    "takeover, then ABORT, before any status": takeoverThenAbort,
    "only a startupProbe": onlyStartupProbe,
  });
});
