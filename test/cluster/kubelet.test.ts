// SPDX-License-Identifier: Apache-2.0
// What a kubelet does when it, a pod's sandbox or a process is stopped in the middle of an upgrade.
import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import type { Pod } from "@hot/spec";
import { describe, expect, onTestFinished, test } from "vitest";
import { aborted, expectOldSideKept, expectReason, hook, noted, podWhere, settled, underWay } from "./fault.ts";
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

/** Kills the kubelet while the hook of the new container runs, and starts it again. */
async function killKubeletInHook(ns: string): Promise<void> {
  onTestFinished(() => cluster().start(`kubelet-${NODE}`));
  const pod = await podWhere(ns, "the upgrade", underWay);
  const before = noted(pod)?.containerID.replace("containerd://", "");
  const next = await until("the new container", () => {
    const id = running(pod, "sidecar-2");
    return id !== before && id;
  });
  // the hook is a process of the container besides the main one
  await until("its hook", () => ctr("tasks", "ps", next).trim().split("\n").length > 2);
  const seenAt = performance.now();
  await cluster().end(`kubelet-${NODE}`, "SIGKILL");
  // a kubelet takes a container for ready that is more than 10 s older than itself and whose pod was ready
  await sleep(Math.max(0, seenAt + 12_000 - performance.now()));
  await cluster().start(`kubelet-${NODE}`);
}

describe.runIf(own)("on a cluster whose processes a test may kill", () => {
  test("kubelet killed in mid-hook: without a receipt nothing is reset", async () => {
    const ns = await namespace();
    const name = unique("killed");
    const updateStrategy = { hotUpgrade: { progressDeadlineSeconds: 30 } };
    const load = startLoad(
      await injected({ name, namespace: ns, updateStrategy, container: { lifecycle: hook(60) } }, 1),
    );
    const history = await watchPods(ns);
    await setVersion(name, "hang");
    await killKubeletInHook(ns);
    // cut, the hook is not run again: the kubelet reports the container as running although nobody has taken over
    const cut = await podWhere(
      ns,
      "the new container is reported",
      (pod) => statusOf(pod, "sidecar-2")?.image === image("hang"),
    );
    expect(statusOf(cut, "sidecar-2"), "a false receipt").toMatchObject({ state: { running: {} }, ready: true });
    const pod = await aborted(ns, 60_000);
    await expectReason(ns, name, pod, ["ProgressDeadlineExceeded"]);
    expectOldSideKept(await podWhere(ns, "settled on v1", settled), history.all());
    expect(losses(await load.stop())).toEqual([]);
  });

  test("kubelet killed in mid-hook, and the takeover completes: the receipt is proof enough", async () => {
    const ns = await namespace();
    const name = unique("proven");
    // waits for something else than the takeover, so that there is time to kill the kubelet
    const load = startLoad(await injected({ name, namespace: ns, container: { lifecycle: hook(60, "nobody") } }, 1));
    const history = await watchPods(ns);
    await setVersion(name, "v2");
    await killKubeletInHook(ns);
    const pod = await podWhere(ns, "settled on v2", settled);
    expect(pairState(pod)).toMatchObject({ images: [EMPTY, image("v2")], working: "sidecar-2" });
    expectAppUntouched(history.all());
    expect(losses(await load.stop())).toEqual([]);
  });

  test("sandbox killed in mid-upgrade: both sides start at once, the newer one serves, the upgrade is finished", async () => {
    const ns = await namespace();
    const name = unique("sandbox");
    const updateStrategy = { hotUpgrade: { minReadySeconds: 6 } };
    await injected({ name, namespace: ns, updateStrategy }, 1);
    const history = await watchPods(ns);
    await setVersion(name, "v2");
    const pod = await podWhere(
      ns,
      "the takeover",
      (one) =>
        underWay(one) &&
        statusOf(one, "sidecar-2")?.image === image("v2") &&
        statusOf(one, "sidecar-2")?.ready === true,
    );
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
  });

  test("readiness flaps in the soak: the old side is stopped only after a whole soak of a ready new one", async () => {
    const ns = await namespace();
    const name = unique("flap");
    const updateStrategy = { hotUpgrade: { minReadySeconds: 8 } };
    await injected({ name, namespace: ns, updateStrategy }, 1);
    const history = await watchPods(ns);
    await setVersion(name, "v2");
    const pod = await podWhere(
      ns,
      "the takeover",
      (one) =>
        underWay(one) &&
        statusOf(one, "sidecar-2")?.image === image("v2") &&
        statusOf(one, "sidecar-2")?.ready === true,
    );
    const next = running(pod, "sidecar-2") ?? "";
    signal(next, "SIGSTOP");
    await podWhere(ns, "the new side is not ready", (one) => statusOf(one, "sidecar-2")?.ready === false);
    signal(next, "SIGCONT");
    await podWhere(ns, "the new side is ready again", (one) => statusOf(one, "sidecar-2")?.ready === true);
    const after = await podWhere(ns, "settled on v2", settled);
    expect(pairState(after)).toMatchObject({ images: [EMPTY, image("v2")], working: "sidecar-2" });
    expect(containerIDs(history.all(), "sidecar-2")).toHaveLength(2);
    expectAppUntouched(history.all());
  });
});
