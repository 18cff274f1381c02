// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import type { ContainerStatus, Pod, PodStatus } from "@hot/spec";
import type { Instance } from "../../src/node/instance.ts";
import { phaseOf } from "../../src/node/phase.ts";
import { makePodStatus, withProbeResult, type StatusInput } from "../../src/node/status.ts";

const T = Date.UTC(2030, 0, 1, 0, 0, 10);
const at = (second: number): string => `2030-01-01T00:00:${String(second).padStart(2, "0")}Z`;

function instance(more: Partial<Instance> = {}): Instance {
  return {
    id: "local://2",
    container: "x",
    init: false,
    image: "v1",
    reportedImage: "v1",
    imageID: "sha256:1",
    restartCount: 1,
    startedAt: T - 5000,
    ...more,
  };
}

const ended = instance({
  id: "local://1",
  restartCount: 0,
  startedAt: T - 9000,
  exit: { code: 1, reason: "Error", finishedAt: T - 6000 },
});

function status(more: Partial<StatusInput> = {}, deletionTimestamp?: string): PodStatus {
  const pod: Pod = {
    metadata: { name: "p", generation: 3, ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }) },
    spec: { containers: [{ name: "x", image: "v1" }] },
  };
  const input: StatusInput = {
    pod,
    instances: [instance(), ended],
    podIP: "127.1.2.3",
    hostIP: "127.0.0.1",
    reasons: new Map(),
    ready: () => true,
    started: () => true,
    terminated: false,
    previous: {},
    now: T,
  };
  return makePodStatus({ ...input, ...more });
}

test("a running pod, all of it", () => {
  const condition = (type: string): object => ({
    type,
    status: "True",
    observedGeneration: 3,
    lastProbeTime: null,
    lastTransitionTime: at(10),
  });
  expect(status()).toEqual({
    observedGeneration: 3,
    phase: "Running",
    conditions: ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"].map(condition),
    hostIP: "127.0.0.1",
    hostIPs: [{ ip: "127.0.0.1" }],
    podIP: "127.1.2.3",
    podIPs: [{ ip: "127.1.2.3" }],
    startTime: at(10),
    containerStatuses: [
      {
        name: "x",
        image: "v1",
        imageID: "sha256:1",
        containerID: "local://2",
        restartCount: 1,
        ready: true,
        started: true,
        state: { running: { startedAt: at(5) } },
        lastState: {
          terminated: { containerID: "local://1", exitCode: 1, reason: "Error", startedAt: at(1), finishedAt: at(4) },
        },
      },
    ],
  });
});

const first = (made: PodStatus): ContainerStatus => made.containerStatuses![0]!;
const conditionOf = (made: PodStatus, type: string): object | undefined =>
  made.conditions?.find((one) => one.type === type);

test("before the sandbox: no address, ContainerCreating, Pending", () => {
  const made = status({ instances: [], podIP: undefined });
  expect(made).not.toHaveProperty("podIP");
  expect(made.phase).toBe("Pending");
  expect(first(made)).toEqual({
    name: "x",
    image: "v1",
    imageID: "",
    lastState: {},
    ready: false,
    started: false,
    restartCount: 0,
    state: { waiting: { reason: "ContainerCreating" } },
  });
  expect(conditionOf(made, "PodReadyToStartContainers")).toMatchObject({ status: "False" });
});

test("a reason to wait moves what ended to lastState; it does not hide what runs", () => {
  const reasons = new Map([["x", { reason: "CrashLoopBackOff", message: "back-off" }]]);
  const waiting = status({ instances: [ended], reasons });
  expect(first(waiting)).toMatchObject({
    state: { waiting: { reason: "CrashLoopBackOff" } },
    lastState: { terminated: { exitCode: 1 } },
  });
  expect(first(status({ reasons }))).toMatchObject({ state: { running: {} } });
  expect(first(status({ instances: [ended], reasons }, at(10)))).toMatchObject({
    state: { terminated: { exitCode: 1 } },
    ready: false,
  });
});

test("transition times change with the status of a condition only", () => {
  const before = status();
  const later = status({ previous: before, now: T + 5000, ready: () => false });
  expect(conditionOf(later, "Ready")).toMatchObject({
    status: "False",
    reason: "ContainersNotReady",
    lastTransitionTime: at(15),
  });
  expect(conditionOf(later, "Initialized")).toMatchObject({ status: "True", lastTransitionTime: at(10) });
  expect(later.startTime).toBe(at(10));
});

test("a probe's word counts for the instance in the status, and for no other", () => {
  const before = status({ ready: () => false });
  expect(withProbeResult(before, "local://other", { ready: true }, T + 1000)).toBe(before);
  const after = withProbeResult(before, "local://2", { ready: true }, T + 1000);
  expect(first(after).ready).toBe(true);
  expect(conditionOf(after, "Ready")).toMatchObject({
    status: "True",
    observedGeneration: 3,
    lastTransitionTime: at(11),
  });
  expect(conditionOf(after, "Ready")).not.toHaveProperty("reason");
});

const running = { state: { running: { startedAt: at(1) } } } as ContainerStatus;
const exit = (exitCode: number): ContainerStatus => ({ state: { terminated: { exitCode } } }) as ContainerStatus;
const restarting = {
  state: { waiting: { reason: "CrashLoopBackOff" } },
  lastState: { terminated: { exitCode: 1 } },
} as ContainerStatus;
const creating = { state: { waiting: { reason: "ContainerCreating" } }, lastState: {} } as ContainerStatus;

test.each<[string, ContainerStatus[], "Always" | "OnFailure" | "Never", boolean, string]>([
  ["all run", [running, running], "Always", false, "Running"],
  ["one is being created", [running, creating], "Always", false, "Pending"],
  ["one waits for its restart", [running, restarting], "Always", false, "Running"],
  ["all wait for their restart", [restarting], "Always", false, "Running"],
  ["all succeeded, Always", [exit(0)], "Always", false, "Running"],
  ["all succeeded, Never", [exit(0), exit(0)], "Never", false, "Succeeded"],
  ["one failed, Never", [exit(0), exit(1)], "Never", false, "Failed"],
  ["one failed, one runs, Never", [running, exit(1)], "Never", false, "Running"],
  ["one failed, OnFailure", [exit(0), exit(1)], "OnFailure", false, "Running"],
  ["deleted, all with 0", [exit(0)], "Always", true, "Succeeded"],
  ["deleted, one killed", [exit(0), exit(137)], "Always", true, "Failed"],
])("phase when %s", (_what, statuses, policy, terminated, expected) => {
  expect(phaseOf({ statuses, initStatuses: [], initialized: true, policy, terminated })).toBe(expected);
});
