// SPDX-License-Identifier: Apache-2.0
// What a kubelet does when it, a pod's sandbox or a process is stopped in the middle of an upgrade.
import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import type { Pod } from "@hot/spec";
import { describe, expect, onTestFinished, test } from "vitest";
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
import {
  cluster,
  EMPTY,
  image,
  injected,
  losses,
  namespace,
  own,
  setVersion,
  startLoad,
  unique,
  until,
} from "./kit.ts";
import { pairState, pairStates } from "./pair-state.ts";
import { containerIDs, expectAppUntouched, statusOf, watchPods } from "./pod-history.ts";

const NODE = "n1";

/** `ctr` on the node of the tests. */
function ctr(...args: string[]): string {
  const [file = "", ...rest] = cluster().ctr(NODE, args);
  return execFileSync(file, rest, { encoding: "utf8" });
}

/** The running container of a pod with this name, by id; `POD` is the sandbox. */
function running(pod: Pod, name: string): string | undefined {
  const labels = [`labels."io.kubernetes.pod.uid"==${pod.metadata.uid}`];
  const which =
    name === "POD" ? `labels."io.cri-containerd.kind"==sandbox` : `labels."io.kubernetes.container.name"==${name}`;
  const ids = ctr("containers", "ls", "-q", [...labels, which].join(","))
    .trim()
    .split("\n");
  const tasks = ctr("tasks", "ls");
  return ids.find((id) => id !== "" && new RegExp(`^${id}\\s+\\d+\\s+RUNNING`, "m").test(tasks));
}

const signal = (id: string, name: string): string => ctr("tasks", "kill", "--signal", name, id);

/** Resolves while the hook of the new container runs. */
async function inHook(ns: string): Promise<void> {
  const pod = await podWhere(ns, "the upgrade", underWay);
  const before = noted(pod)?.containerID.replace("containerd://", "");
  const next = await until("the new container", () => {
    const id = running(pod, "sidecar-2");
    return id !== before && id;
  });
  // the hook is a process of the container besides the main one
  await until("its hook", () => ctr("tasks", "ps", next).trim().split("\n").length > 2);
}

/** Kills the kubelet, and starts it again when it takes all containers for ready whose pods were: 10 s later. */
async function killKubelet(): Promise<void> {
  onTestFinished(() => cluster().start(`kubelet-${NODE}`));
  await cluster().end(`kubelet-${NODE}`, "SIGKILL");
  await sleep(12_000);
  await cluster().start(`kubelet-${NODE}`);
}

/** The second side runs v2 and is ready; the first one is not reset yet. */
function takenOver(ns: string): Promise<Pod> {
  return podWhere(ns, "the takeover", (pod) => {
    const next = statusOf(pod, "sidecar-2");
    return underWay(pod) && next?.image === image("v2") && next.ready;
  });
}

/** Both sides start at once, the newer one serves, the upgrade is finished. */
async function sandboxKilled(): Promise<void> {
  const ns = await namespace();
  const name = unique("sandbox");
  const updateStrategy = { hotUpgrade: { minReadySeconds: 6 } };
  await injected({ name, namespace: ns, updateStrategy }, 1);
  const history = await watchPods(ns);
  await setVersion(name, "v2");
  const pod = await takenOver(ns);
  const sandbox = running(pod, "POD") ?? "";
  signal(sandbox, "SIGKILL");
  const after = await podWhere(
    ns,
    "settled on v2",
    (one) => settled(one) && statusOf(one, "app")?.ready === true,
    90_000,
  );
  expect(after.metadata.uid).toBe(pod.metadata.uid);
  expect(running(after, "POD")).not.toBe(sandbox);
  expect(pairState(after)).toMatchObject({ images: [EMPTY, image("v2")], working: "sidecar-2" });
  expect(pairStates(history.all()), "injected, upgraded, reset: nothing was begun again").toHaveLength(3);
  const load = startLoad([after]);
  await until("answers of v2", () =>
    Object.keys(load.report().answersBySidecar[after.metadata.name ?? ""] ?? {}).some((by) => by.startsWith("v2/")),
  );
  expect(losses(await load.stop())).toEqual([]);
}

/** The old side is not stopped while the new one is not ready; the soak starts again. */
async function readinessFlaps(): Promise<void> {
  const ns = await namespace();
  const name = unique("flap");
  const updateStrategy = { hotUpgrade: { minReadySeconds: 8 } };
  await injected({ name, namespace: ns, updateStrategy }, 1);
  const history = await watchPods(ns);
  await setVersion(name, "v2");
  const pod = await takenOver(ns);
  const next = running(pod, "sidecar-2") ?? "";
  signal(next, "SIGSTOP");
  await podWhere(
    ns,
    "the new side is not ready",
    (one) => underWay(one) && statusOf(one, "sidecar-2")?.ready === false,
  );
  signal(next, "SIGCONT");
  await podWhere(
    ns,
    "the new side is ready again",
    (one) => underWay(one) && statusOf(one, "sidecar-2")?.ready === true,
  );
  const after = await podWhere(ns, "settled on v2", settled);
  expect(pairState(after)).toMatchObject({ images: [EMPTY, image("v2")], working: "sidecar-2" });
  expect(containerIDs(history.all(), "sidecar-2")).toHaveLength(2);
  expectAppUntouched(history.all());
}

describe.runIf(own)("on a cluster whose processes a test may kill", () => {
  test("kubelet killed in mid-hook: only a side that has taken over leads to a reset", async () => {
    const unproven = { ns: await namespace(), name: unique("killed") };
    const proven = { ns: await namespace(), name: unique("proven") };
    const updateStrategy = { hotUpgrade: { progressDeadlineSeconds: 40 } };
    const before = await Promise.all([
      injected({ name: unproven.name, namespace: unproven.ns, updateStrategy, container: { lifecycle: hook(90) } }, 1),
      // waits for something else than the takeover, so that the hook is there to be killed
      injected({ name: proven.name, namespace: proven.ns, container: { lifecycle: hook(90, "nobody") } }, 1),
    ]);
    const load = startLoad(before.flat());
    const [kept, upgraded] = [await watchPods(unproven.ns), await watchPods(proven.ns)];
    await setVersion(unproven.name, "hang");
    await setVersion(proven.name, "v2");
    await Promise.all([inHook(unproven.ns), inHook(proven.ns)]);
    await killKubelet();

    const after = await podWhere(proven.ns, "settled on v2", settled);
    expect(pairState(after)).toMatchObject({ images: [EMPTY, image("v2")], working: "sidecar-2" });
    expectAppUntouched(upgraded.all());

    const pod = await aborted(unproven.ns);
    // cut, the hook is not run again, and the kubelet takes the container for ready although nobody has taken over
    const reports = kept.all().map((one) => statusOf(one, "sidecar-2"));
    expect(reports).toContainEqual(expect.objectContaining({ image: image("hang"), ready: true, started: true }));
    await expectReason(unproven.ns, unproven.name, pod, ["ProgressDeadlineExceeded"]);
    expectOldSideKept(await podWhere(unproven.ns, "settled on v1", settled), kept.all());
    expect(losses(await load.stop())).toEqual([]);
  });

  test("a sandbox is killed in mid-upgrade, readiness flaps in the soak: the upgrade is finished", async () => {
    await sideBySide({ "sandbox killed": sandboxKilled, "readiness flaps": readinessFlaps });
  });
});
