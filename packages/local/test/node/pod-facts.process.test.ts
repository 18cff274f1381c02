// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import {
  container,
  gone,
  isReady,
  OBEDIENT,
  output,
  printed,
  script,
  startHarness,
  states,
  statusOf,
} from "./node-harness.ts";

const NOTED = "metadata.annotations['version.sidecarset.kruise.io/x']";

test("downward env is fixed at the start: an annotation is seen by the next instance only", async () => {
  const print = script('echo "version=$VERSION end"; while :; do sleep 60 & wait $!; done');
  const harness = await startHarness({ a: print, b: { ...print, cmd: [] } });
  const { api } = harness;
  const env = [{ name: "VERSION", valueFrom: { fieldRef: { fieldPath: NOTED } } }];
  const key = "version.sidecarset.kruise.io/x";
  const spec = {
    containers: [container("x", "a", { env }), container("y", "a", { env })],
    terminationGracePeriodSeconds: 1,
  };
  const pod = api.addPod("p", spec, { [key]: "1" });
  await printed(harness, pod, "x", /version=1 end/);
  await printed(harness, pod, "y", /version=1 end/);
  api.setImage("p", "x", "b", { [key]: "2" });
  await printed(harness, pod, "x", /version=2 end/, 1);
  expect(output(harness, pod, "y")).toBe("version=1 end\n");
});

test("the pod's facts, the image's variables below the container's own, and paths in words", async () => {
  const image = {
    entrypoint: ["/tool", "-c", 'echo "$A|$B|$C|$D|$0"; while :; do sleep 60 & wait $!; done'],
    cmd: ["$(CONTAINER)"],
    env: { A: "$(POD_IP)", B: "image", C: "image $(POD_NAME)" },
    paths: { "/tool": "/bin/sh" },
  };
  const harness = await startHarness({ image });
  const own = [
    { name: "B", value: "own" },
    { name: "NODE", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
    { name: "D", value: "$(NODE) $(NOBODY) $$(NODE)" },
  ];
  const pod = harness.api.addPod("p", { containers: [container("x", "image", { env: own })] });
  const [line] = await printed(harness, pod, "x", /.*\n/);
  const { podIP } = (await harness.api.until("p", isReady)).status!;
  expect(line).toBe(`${podIP}|own|image p|local $(NOBODY) $(NODE)|x\n`);
});

test("each pod has an address and a folder for shared memory of its own, which its containers share", async () => {
  const write = script('echo "shm=$SHM"; echo "$POD_IP" > "$SHM/from-$NAME"; while :; do sleep 60 & wait $!; done');
  const harness = await startHarness({ write });
  const { api } = harness;
  const pods = ["p", "q"].map((name) =>
    api.addPod(name, { containers: [container("x", "write"), container("y", "write")] }),
  );
  const found = [];
  for (const pod of pods) {
    const { podIP = "" } = (await api.until(pod.metadata.name!, isReady)).status!;
    const [, shm = ""] = await printed(harness, pod, "x", /shm=(.*)/);
    await printed(harness, pod, "y", new RegExp(`shm=${shm}\n`));
    found.push({ podIP, shm });
    expect(podIP).toMatch(/^127\.\d+\.\d+\.\d+$/);
    expect(Buffer.byteLength(`${shm}/sidecar.hot/probe.18446744073709551615.sock`)).toBeLessThanOrEqual(107);
  }
  expect(new Set(found.map(({ podIP }) => podIP)).size).toBe(2);
  expect(new Set(found.map(({ shm }) => shm)).size).toBe(2);
  api.deletePod("p", 1);
  await api.untilGone("p");
  await gone(found[0]!.shm);
  expect(existsSync(found[1]!.shm)).toBe(true);
});

test("init containers run one after the other before the containers", async () => {
  const harness = await startHarness({
    init: script('echo "$NAME" >> "$SHM/order"'),
    app: script('cat "$SHM/order"; while :; do sleep 60 & wait $!; done'),
  });
  const { api } = harness;
  const pod = api.addPod("p", {
    initContainers: [container("one", "init"), container("two", "init")],
    containers: [container("x", "app")],
  });
  const ready = await api.until("p", isReady);
  expect(await printed(harness, pod, "x", /one\ntwo\n/)).toBeTruthy();
  expect(statusOf(ready, "one")).toMatchObject({
    ready: true,
    restartCount: 0,
    state: { terminated: { exitCode: 0, reason: "Completed" } },
  });
  expect(states(api, "p", "x", ({ state }) => state?.waiting?.reason ?? "running")).toEqual([
    "PodInitializing",
    "running",
  ]);
  const initialized = api.history.map(
    (one) => one.status?.conditions?.find(({ type }) => type === "Initialized")?.status,
  );
  expect(initialized.filter((word, i) => word !== undefined && word !== initialized[i - 1])).toEqual(["False", "True"]);
});

test("restart policies Never and OnFailure end in a phase", async () => {
  const { api } = await startHarness({
    good: script("exit 0"),
    bad: script("exit 2"),
    once: script('test -e "$SHM/ran" || { touch "$SHM/ran"; exit 1; }'),
  });
  api.addPod("succeeded", { restartPolicy: "Never", containers: [container("x", "good")] });
  api.addPod("failed", { restartPolicy: "Never", containers: [container("x", "bad")] });
  api.addPod("again", { restartPolicy: "OnFailure", containers: [container("x", "once")] });
  const succeeded = await api.until("succeeded", ({ status }) => status?.phase === "Succeeded");
  expect(succeeded.status?.conditions?.find(({ type }) => type === "Ready")).toMatchObject({
    status: "False",
    reason: "PodCompleted",
  });
  const failed = await api.until("failed", ({ status }) => status?.phase === "Failed");
  expect(statusOf(failed, "x")).toMatchObject({
    restartCount: 0,
    state: { terminated: { exitCode: 2, reason: "Error" } },
  });
  const again = await api.until("again", ({ status }) => status?.phase === "Succeeded");
  expect(statusOf(again, "x")?.restartCount).toBe(1);
});

test("what cannot start says why", async () => {
  const { api } = await startHarness({ nothing: {}, ok: OBEDIENT });
  const env = [{ name: "SECRET", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }];
  api.addPod("p", {
    containers: [
      container("x", "nothing"),
      container("y", "ok", { command: ["/no/such/file"] }),
      container("z", "ok", { env }),
    ],
  });
  const pod = await api.until(
    "p",
    (one) => one.status?.containerStatuses?.every(({ state }) => state?.waiting?.message !== undefined) ?? false,
  );
  expect(statusOf(pod, "z")?.state?.waiting).toEqual({
    reason: "CreateContainerConfigError",
    message: 'env "SECRET": the local node supports fieldRef only; give the value itself instead',
  });
  const ends = pod.status?.containerStatuses?.slice(0, 2).map(({ lastState }) => lastState?.terminated);
  expect(ends).toMatchObject([
    {
      exitCode: 128,
      reason: "StartError",
      message: "no command: the image has no entrypoint and the container no command",
    },
    { exitCode: 128, reason: "StartError", message: 'exec: "/no/such/file": no such executable file' },
  ]);
});

test("conditions of others are kept", async () => {
  const { api } = await startHarness({ a: OBEDIENT });
  api.addPod("p", { containers: [container("x", "a")] });
  api.setCondition("p", { type: "SidecarSetUpgradable", status: "True" });
  const pod = await api.until("p", isReady);
  expect(pod.status?.conditions?.map(({ type }) => type)).toContain("SidecarSetUpgradable");
});
