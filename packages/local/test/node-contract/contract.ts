// SPDX-License-Identifier: Apache-2.0
import type { Container, Lifecycle, Pod } from "@hot/spec";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { conditionOf, container, isReady, Pods, statusOf } from "./pods.ts";
import { imageOf, type NodeTarget } from "./target.ts";

const exec = (command: string): { exec: { command: string[] } } => ({ exec: { command: ["sh", "-c", command] } });

/** Runs in every instance; does something in those of image b only. */
const onlyInB = (act: string): Lifecycle => ({ postStart: exec(`test "$IMAGE" = a || { ${act}; }`) });

const waits = (reason: string) => (pod: Pod) => statusOf(pod, "x")?.state?.waiting?.reason === reason;
const readyWith = (tag: Parameters<typeof imageOf>[0]) => (pod: Pod) =>
  isReady(pod) && statusOf(pod, "x")?.image === imageOf(tag);
/** The end of the old container may be told a little later than the new one. */
const replacedBy = (tag: Parameters<typeof imageOf>[0]) => (pod: Pod) =>
  readyWith(tag)(pod) && statusOf(pod, "x")?.lastState?.terminated !== undefined;

/**
 * What a hot upgrade builds on, as tests that hold for every node: the simulated one and a real kubelet.
 *
 * @param target called before the first test
 */
export function nodeContract(target: () => Promise<NodeTarget>): void {
  let node: NodeTarget;
  let pods: Pods;
  beforeAll(async () => {
    node = await target();
    pods = await Pods.watch(node);
  });
  afterAll(() => pods[Symbol.asyncDispose]());

  const add = (name: string, containers: Container[], annotations?: Record<string, string>): Promise<Pod> =>
    pods.add(name, { containers, terminationGracePeriodSeconds: 1 }, annotations);
  const ready = (name: string): Promise<Pod> => pods.until(name, "ready", isReady);
  /** Without a probe a container is ready as soon as its process exists, before it has done anything. */
  const begun = async (pod: Pod, ...names: string[]): Promise<void> => {
    await Promise.all(names.map((name) => node.exec(pod, name, "while ! test -e up; do sleep 0.05; done")));
  };

  describe.concurrent("a change of image", () => {
    test("restarts that container and no other", async ({ expect }) => {
      await add("change", [container("x", "a"), container("y", "a")]);
      const before = await ready("change");
      await begun(before, "x");
      expect(before.status).toMatchObject({ phase: "Running", observedGeneration: 1 });
      await pods.setImage("change", "x", "b");
      const after = await pods.until("change", "b runs", replacedBy("b"));
      const { containerID, imageID } = statusOf(before, "x") ?? {};
      expect(statusOf(after, "x")).toMatchObject({
        restartCount: 1,
        ready: true,
        started: true,
        lastState: { terminated: { exitCode: 0, reason: "Completed", containerID } },
      });
      expect(statusOf(after, "x")?.containerID).not.toBe(containerID);
      expect(statusOf(after, "x")?.imageID).not.toBe(imageID);
      expect(statusOf(after, "y")).toEqual(statusOf(before, "y"));
    });

    test("is observed while the old container is still shown running", async ({ expect }) => {
      await add("observed", [container("x", "a")]);
      await ready("observed");
      await pods.setImage("observed", "x", "b");
      const seen = await pods.until("observed", "it is observed", (pod) => pod.status?.observedGeneration === 2);
      expect(statusOf(seen, "x")).toMatchObject({ image: imageOf("a"), ready: true, state: { running: {} } });
      expect(seen.status?.conditions?.map((one) => one.observedGeneration)).toEqual([2, 2, 2, 2, 2]);
    });

    test("with a readinessProbe is first reported not ready, then ready", async ({ expect }) => {
      const readinessProbe = { ...exec("true"), periodSeconds: 2 };
      await add("probed", [container("x", "a", { readinessProbe })]);
      await ready("probed");
      await pods.setImage("probed", "x", "b");
      await pods.until("probed", "b is ready", readyWith("b"));
      const show = pods.states("probed", "x", ({ image, ready: yes }) => `${image?.split(":")[1]} ${yes}`);
      expect(show).toEqual(["a false", "a true", "b false", "b true"]);
    });

    test("does not change the env of others: an annotation is seen by the next instance only", async ({ expect }) => {
      const key = "version.sidecarset.kruise.io/x";
      const env = [{ name: "VERSION", valueFrom: { fieldRef: { fieldPath: `metadata.annotations['${key}']` } } }];
      await add("env", [container("x", "a", { env }), container("y", "tells-version", { env })], { [key]: "1" });
      await ready("env");
      const after = await pods.setImage("env", "x", "tells-version", { [key]: "2" });
      await pods.until("env", "it runs", readyWith("tells-version"));
      await begun(after, "x", "y");
      expect(await node.exec(after, "x", "cat version")).toBe("version=2\n");
      expect(await node.exec(after, "y", "cat version")).toBe("version=1\n");
    });

    test("kills a container that ignores TERM after the grace period", async ({ expect }) => {
      await add("stubborn", [container("x", "stubborn")]);
      await begun(await ready("stubborn"), "x");
      await pods.setImage("stubborn", "x", "b");
      const after = await pods.until("stubborn", "b runs", replacedBy("b"));
      expect(statusOf(after, "x")?.lastState?.terminated).toMatchObject({ exitCode: 137, reason: "Error" });
    });

    test("runs preStop inside the old container, and ends it before TERM", async ({ expect }) => {
      const lifecycle = { preStop: exec(": > stopped") };
      await pods.add("prestop", { containers: [container("x", "asks-stopped", { lifecycle })] });
      await begun(await ready("prestop"), "x");
      await pods.setImage("prestop", "x", "b");
      const after = await pods.until("prestop", "b runs", replacedBy("b"));
      expect(statusOf(after, "x")).toMatchObject({ lastState: { terminated: { exitCode: 3 } } });
    });
  });

  describe.concurrent("an image that is missing", () => {
    test("takes the old container down first; the other goes on; a revert starts at once", async ({ expect }) => {
      await add("missing", [container("x", "a"), container("y", "a")]);
      const before = await ready("missing");
      await begun(before, "x");
      await pods.setImage("missing", "x", "nowhere");
      const failing = await pods.until("missing", "ErrImagePull", waits("ErrImagePull"));
      expect(statusOf(failing, "x")).toMatchObject({
        image: imageOf("a"),
        containerID: statusOf(before, "x")?.containerID,
        ready: false,
        started: false,
        restartCount: 0,
        lastState: { terminated: { exitCode: 0 } },
      });
      expect(conditionOf(failing, "Ready")).toMatchObject({
        status: "False",
        reason: "ContainersNotReady",
        message: "containers with unready status: [x]",
      });
      await pods.until("missing", "ImagePullBackOff", waits("ImagePullBackOff"));
      await pods.setImage("missing", "x", "a");
      const after = await pods.until("missing", "a runs again", isReady);
      expect(conditionOf(after, "Ready")).not.toHaveProperty("reason");
      expect(statusOf(after, "y")).toEqual(statusOf(before, "y"));
    });
  });

  describe.concurrent("a postStart hook", () => {
    test("hides its container while it runs, and a revert waits for it", async ({ expect }) => {
      const lifecycle = onlyInB(": > begun; while ! test -e done; do sleep 0.05; done");
      const pod = await add("hook", [container("x", "a", { lifecycle }), container("y", "a")]);
      const before = await ready("hook");
      await pods.setImage("hook", "x", "b");
      await expect.poll(() => node.exec(pod, "x", "test -e begun && echo yes; true"), POLL).toBe("yes\n");
      await pods.setImage("hook", "x", "a");
      await pods.until("hook", "the revert is told", ({ metadata }) => metadata.generation === 3);
      await new Promise((resolve) => setTimeout(resolve, 1000)); // room for a write that must not come
      const during = pods.now("hook");
      expect(during.status?.observedGeneration).toBe(2);
      expect(statusOf(during, "x")).toEqual(statusOf(before, "x"));
      expect(isReady(during)).toBe(true);

      await node.exec(pod, "x", ": > done");
      const after = await pods.until("hook", "the revert", (one) => statusOf(one, "x")?.restartCount === 2);
      expect(statusOf(after, "x")).toMatchObject({ image: imageOf("a"), ready: true });
    });

    test("that fails: PostStartHookError, killed, then CrashLoopBackOff; another image starts at once", async ({
      expect,
    }) => {
      const lifecycle = onlyInB("echo no takeover; exit 7");
      await add("fails", [container("x", "a", { lifecycle }), container("y", "a")]);
      await ready("fails");
      await pods.setImage("fails", "x", "b");
      const failed = await pods.until("fails", "PostStartHookError", waits("PostStartHookError"));
      expect(statusOf(failed, "x")?.state?.waiting?.message).toMatch(
        /^Exec lifecycle hook \(\[sh -c .*\]\) for Container "x" in Pod "fails_.*\)" failed - error: command '.*' exited with 7: , message: "no takeover\\n"$/,
      );
      expect(isReady(failed)).toBe(false);
      const held = await pods.until("fails", "CrashLoopBackOff", waits("CrashLoopBackOff"));
      expect(statusOf(held, "x")?.state?.waiting?.message).toMatch(
        /^back-off 10s restarting failed container=x pod=fails_/,
      );
      expect(statusOf(held, "x")).toMatchObject({ image: imageOf("b"), ready: false, lastState: { terminated: {} } });
      expect(pods.history("fails").some((pod) => readyWith("b")(pod))).toBe(false);
      await pods.setImage("fails", "x", "a");
      await pods.until("fails", "a runs again", readyWith("a"));
    });

    test("is not cut by the deletion of its pod, which waits for it", async ({ expect }) => {
      const lifecycle = { postStart: exec(": > begun; while ! test -e done; do sleep 0.05; done; : > over") };
      const pod = await pods.add("waits", { containers: [container("x", "asks-over", { lifecycle })] });
      await expect.poll(() => node.exec(pod, "x", "test -e begun && echo yes; true"), POLL).toBe("yes\n");
      await pods.delete("waits", 1);
      await new Promise((resolve) => setTimeout(resolve, 3000)); // longer than the grace period
      await node.exec(pod, "x", ": > done");
      await pods.untilGone("waits");
      expect(statusOf(pods.now("waits"), "x")).toMatchObject({ state: { terminated: { exitCode: 3 } } });
    });
  });

  describe.concurrent("back-off", () => {
    test("the same image again: at once the first time, late the second", async ({ expect }) => {
      await add("again", [container("x", "a"), container("y", "a")]);
      await ready("again");
      for (const tag of ["b", "a", "c"] as const) {
        await pods.setImage("again", "x", tag);
        await pods.until("again", `${tag} runs`, readyWith(tag));
      }
      await begun(pods.now("again"), "x");
      await pods.setImage("again", "x", "a");
      const held = await pods.until("again", "CrashLoopBackOff", waits("CrashLoopBackOff"));
      expect(statusOf(held, "x")).toMatchObject({
        image: imageOf("c"),
        restartCount: 3,
        ready: false,
        lastState: { terminated: { exitCode: 0 } },
      });
      expect(statusOf(held, "y")?.ready).toBe(true);
      const after = await pods.until("again", "a runs again", readyWith("a"));
      expect(statusOf(after, "x")?.restartCount).toBe(4);
    });

    test("a crash loop: the first restart is immediate", async ({ expect }) => {
      await add("loop", [container("x", "bad"), container("y", "a")]);
      const held = await pods.until("loop", "CrashLoopBackOff", waits("CrashLoopBackOff"));
      expect(statusOf(held, "x")).toMatchObject({
        restartCount: 1,
        ready: false,
        lastState: { terminated: { exitCode: 3, reason: "Error" } },
      });
      expect(held.status?.phase).toBe("Running");
      await pods.setImage("loop", "x", "a");
      await pods.until("loop", "another image starts at once", readyWith("a"));
    });
  });

  describe.concurrent("probes", () => {
    test("readiness flaps: Ready follows it, the container goes on", async ({ expect }) => {
      const readinessProbe = { ...exec("test -e ok"), periodSeconds: 1, failureThreshold: 1 };
      const pod = await add("flap", [container("x", "a", { readinessProbe }), container("y", "a")]);
      const begin = await pods.until("flap", "y is ready", (one) => statusOf(one, "y")?.ready === true);
      expect(statusOf(begin, "x")).toMatchObject({ ready: false, started: true });
      await node.exec(pod, "x", ": > ok");
      const was = await ready("flap");
      await node.exec(pod, "x", "test -e ok && unlink ok");
      const not = await pods.until("flap", "not ready", (one) => !isReady(one));
      for (const type of ["Ready", "ContainersReady"]) {
        expect(conditionOf(not, type)).toMatchObject({ status: "False", reason: "ContainersNotReady" });
      }
      expect(statusOf(not, "x")).toEqual({ ...statusOf(was, "x"), ready: false });
    });

    test("liveness fails: the container starts again", async ({ expect }) => {
      const livenessProbe = { ...exec("! test -e dead"), periodSeconds: 1, failureThreshold: 1 };
      const pod = await add("liveness", [container("x", "a", { livenessProbe })]);
      await begun(await ready("liveness"), "x");
      await node.exec(pod, "x", ": > dead");
      const again = (one: Pod): boolean => isReady(one) && statusOf(one, "x")?.restartCount === 1;
      const after = await pods.until("liveness", "it starts again", again);
      expect(statusOf(after, "x")?.lastState?.terminated).toMatchObject({ exitCode: 0, reason: "Completed" });
    });

    test("startup holds back started and ready", async ({ expect }) => {
      const startupProbe = { ...exec("test -e up"), periodSeconds: 1, failureThreshold: 99 };
      const readinessProbe = { ...exec("true"), periodSeconds: 1 };
      const pod = await add("startup", [container("x", "a", { startupProbe, readinessProbe })]);
      await pods.until("startup", "it runs", (one) => statusOf(one, "x")?.state?.running !== undefined);
      await node.exec(pod, "x", ": > up");
      await ready("startup");
      const show = pods.states("startup", "x", ({ started, ready: yes }) => `${started} ${yes}`);
      expect(show.filter((one) => one !== "true false")).toEqual(["false false", "true true"]);
    });
  });

  describe.concurrent("a pod's end", () => {
    test("restart policy Never: a phase", async ({ expect }) => {
      for (const tag of ["good", "bad"] as const) {
        await pods.add(tag, { restartPolicy: "Never", containers: [container("x", tag)] });
      }
      const succeeded = await pods.until("good", "Succeeded", ({ status }) => status?.phase === "Succeeded");
      expect(conditionOf(succeeded, "Ready")).toMatchObject({ status: "False", reason: "PodCompleted" });
      const failed = await pods.until("bad", "Failed", ({ status }) => status?.phase === "Failed");
      expect(statusOf(failed, "x")).toMatchObject({
        restartCount: 0,
        state: { terminated: { exitCode: 3, reason: "Error" } },
      });
    });

    test("init containers run to their end before the others", async ({ expect }) => {
      const initContainers = [container("one", "good"), container("two", "good")];
      await pods.add("init", { initContainers, containers: [container("x", "a")], terminationGracePeriodSeconds: 1 });
      const done = await ready("init");
      for (const name of ["one", "two"]) {
        const terminated = { exitCode: 0, reason: "Completed" };
        expect(statusOf(done, name)).toMatchObject({ ready: true, restartCount: 0, state: { terminated } });
      }
      const show = pods.states("init", "x", ({ state }) => state?.waiting?.reason ?? "running");
      expect(show).toEqual(["PodInitializing", "running"]);
    });

    test("deletion: the last status tells how each container ended", async ({ expect }) => {
      await pods.add("deleted", { containers: [container("x", "a"), container("y", "a")] });
      await begun(await ready("deleted"), "x", "y");
      await pods.delete("deleted");
      await pods.untilGone("deleted");
      const last = pods.now("deleted");
      expect(last.status?.phase).toBe("Succeeded");
      for (const name of ["x", "y"]) {
        expect(statusOf(last, name)).toMatchObject({ ready: false, state: { terminated: { exitCode: 0 } } });
      }
    });
  });

  test("kubelet killed in mid-hook: the hook is never run again, yet the container is reported ready", async () => {
    const lifecycle = onlyInB("echo run >> hooks; sleep 1000");
    const pod = await add("killed", [container("x", "a", { lifecycle })]);
    const before = await ready("killed");
    await pods.setImage("killed", "x", "b");
    await expect.poll(() => node.exec(pod, "x", "test -e hooks && cat hooks; true"), POLL).toBe("run\n");
    await node.crash();
    expect(statusOf(pods.now("killed"), "x")).toEqual(statusOf(before, "x"));

    await node.restart();
    const after = await pods.until("killed", "b is ready", readyWith("b"));
    expect(statusOf(after, "x")).toMatchObject({ restartCount: 1, ready: true, started: true, state: { running: {} } });
    expect(await node.exec(pod, "x", "cat hooks")).toBe("run\n");
  });
}

const POLL = { timeout: 60_000, interval: 100 };
