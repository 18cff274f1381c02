// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import type { Pod } from "@hot/spec";
import { decideContainer, type ContainerDecision, type Health, type RestartPolicy } from "../../src/node/container.ts";
import type { Instance } from "../../src/node/instance.ts";
import { planPod } from "../../src/node/pod.ts";

function instance(container: string, more: Partial<Instance> & { code?: number } = {}): Instance {
  const { code, ...rest } = more;
  const exit = code === undefined ? {} : { exit: { code, reason: "", finishedAt: 2000 } };
  return {
    id: `local://${container}`,
    container,
    init: false,
    image: "v1",
    reportedImage: "v1",
    imageID: "sha256:1",
    restartCount: 0,
    startedAt: 1000,
    ...exit,
    ...rest,
  };
}

const HEALTHY: Health = { livenessFailed: false, startupFailed: false };
const say = (decision: ContainerDecision): string =>
  decision.do === "kill" ? `kill ${decision.cause}${decision.thenStart ? " and start" : ""}` : decision.do;

test.each<[string, string, Instance | undefined, RestartPolicy, Partial<Health>, string]>([
  ["never ran", "v1", undefined, "Always", {}, "start"],
  ["never ran, Never", "v1", undefined, "Never", {}, "start"],
  ["runs", "v1", instance("x"), "Always", {}, "keep"],
  ["ended well", "v1", instance("x", { code: 0 }), "Always", {}, "start"],
  ["ended well, OnFailure", "v1", instance("x", { code: 0 }), "OnFailure", {}, "done"],
  ["failed, OnFailure", "v1", instance("x", { code: 1 }), "OnFailure", {}, "start"],
  ["failed, Never", "v1", instance("x", { code: 1 }), "Never", {}, "done"],
  ["another image", "v2", instance("x"), "Always", {}, "kill changed and start"],
  ["another image, Never", "v2", instance("x"), "Never", {}, "kill changed and start"],
  ["another image after it ended", "v2", instance("x", { code: 1 }), "Always", {}, "start"],
  ["not alive", "v1", instance("x"), "Always", { livenessFailed: true }, "kill liveness and start"],
  ["not alive, Never", "v1", instance("x"), "Never", { livenessFailed: true }, "kill liveness"],
  ["did not start up", "v1", instance("x"), "Always", { startupFailed: true }, "kill startup and start"],
  ["another image and not alive", "v2", instance("x"), "Never", { livenessFailed: true }, "kill changed and start"],
])("container that %s", (_what, image, observed, policy, health, expected) => {
  expect(say(decideContainer({ name: "x", image }, observed, policy, { ...HEALTHY, ...health }))).toBe(expected);
});

const pod: Pod = {
  metadata: { name: "p" },
  spec: {
    initContainers: [
      { name: "i", image: "v1" },
      { name: "j", image: "v1" },
    ],
    containers: [
      { name: "x", image: "v1" },
      { name: "y", image: "v1" },
    ],
  },
};
const never: Pod = { ...pod, spec: { ...pod.spec, restartPolicy: "Never" } };
const init = (name: string, code?: number): Instance =>
  instance(name, { init: true, ...(code === undefined ? {} : { code }) });

test.each<[string, Pod, Instance[], string]>([
  ["nothing yet: the first init container", pod, [], "start i"],
  ["an init container runs: wait", pod, [init("i")], ""],
  ["the first has succeeded: the second", pod, [init("i", 0)], "start j"],
  ["one has failed: again", pod, [init("i", 1)], "start i"],
  ["one has failed, Never: nothing", never, [init("i", 1)], ""],
  ["all have succeeded: all containers", pod, [init("j", 0), init("i", 0)], "start x, start y"],
  ["an init container's end is forgotten: it does not run again", pod, [instance("x"), instance("y")], ""],
  [
    "one changed, one ended: kills come first",
    pod,
    [instance("x", { code: 1 }), instance("y", { image: "v0" })],
    "kill y, start x, start y",
  ],
])("%s", (_what, desired, observed, expected) => {
  const plan = planPod(desired, observed, () => HEALTHY);
  const kills = plan.kill.map((one) => `kill ${one.instance.container}`);
  const starts = plan.start.map((one) => `start ${one.container.name}`);
  expect([...kills, ...starts].join(", ")).toBe(expected);
});
