// SPDX-License-Identifier: Apache-2.0
import { rmSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { container, ended, isReady, printed, script, startHarness, states, statusOf, written } from "./node-harness.ts";

const here = script("echo folder $(pwd); while :; do sleep 60 & wait $!; done");

test("a readiness probe that flaps: Ready follows it, the container goes on", async () => {
  const harness = await startHarness({ here });
  const { api } = harness;
  const readinessProbe = { exec: { command: ["test", "-e", "ok"] }, periodSeconds: 1, failureThreshold: 1 };
  const pod = api.addPod("p", {
    containers: [container("x", "here", { readinessProbe }), container("y", "here")],
    terminationGracePeriodSeconds: 1,
  });
  const [, folder] = await printed(harness, pod, "x", /folder (.*)/);
  const begin = await api.until("p", (one) => statusOf(one, "y")?.ready === true);
  expect(statusOf(begin, "x")).toMatchObject({ ready: false, started: true });
  writeFileSync(`${folder}/ok`, "");
  const ready = await api.until("p", isReady);
  rmSync(`${folder}/ok`);
  const not = await api.until("p", (one) => !isReady(one));
  expect(
    not.status?.conditions
      ?.filter(({ type }) => type.endsWith("Ready"))
      .map(({ status, reason }) => `${status} ${reason}`),
  ).toEqual(["False ContainersNotReady", "False ContainersNotReady"]);
  expect(statusOf(not, "x")).toEqual({ ...statusOf(ready, "x"), ready: false });
});

test("a liveness probe that fails kills the container, which starts again", async () => {
  const harness = await startHarness({ here });
  const { api } = harness;
  const livenessProbe = { exec: { command: ["test", "!", "-e", "dead"] }, periodSeconds: 1, failureThreshold: 1 };
  const pod = api.addPod("p", {
    containers: [container("x", "here", { livenessProbe })],
    terminationGracePeriodSeconds: 1,
  });
  const [, folder] = await printed(harness, pod, "x", /folder (.*)/);
  await api.until("p", isReady);
  writeFileSync(`${folder}/dead`, "");
  const after = await api.until("p", (one) => isReady(one) && statusOf(one, "x")?.restartCount === 1);
  expect(statusOf(after, "x")?.lastState?.terminated).toMatchObject({ exitCode: 143, reason: "Error" });
});

test("a startup probe holds back started and ready", async () => {
  const harness = await startHarness({ here });
  const { api } = harness;
  const startupProbe = { exec: { command: ["test", "-e", "up"] }, periodSeconds: 1 };
  const readinessProbe = { exec: { command: ["true"] } };
  const pod = api.addPod("p", {
    containers: [container("x", "here", { startupProbe, readinessProbe })],
    terminationGracePeriodSeconds: 1,
  });
  const [, folder] = await printed(harness, pod, "x", /folder (.*)/);
  writeFileSync(`${folder}/up`, "");
  await api.until("p", isReady);
  expect(states(api, "p", "x", ({ started, ready }) => `${started} ${ready}`)).toEqual([
    "false false",
    "true false",
    "true true",
  ]);
});

test("HTTP and TCP probes ask the pod's own address", async () => {
  const server =
    'require("http").createServer((q, a) => a.writeHead(q.url === "/good" ? 200 : 500).end()).listen(8080, process.env.POD_IP)';
  const { api } = await startHarness({
    web: { entrypoint: [process.execPath, "-e", server], env: { POD_IP: "$(POD_IP)" } },
  });
  const ports = [{ name: "web", containerPort: 8080 }];
  const often = { periodSeconds: 1, failureThreshold: 100 };
  api.addPod("p", {
    containers: [
      container("http", "web", { ports, readinessProbe: { httpGet: { path: "/good", port: "web" }, ...often } }),
    ],
  });
  api.addPod("q", {
    containers: [container("tcp", "web", { readinessProbe: { tcpSocket: { port: 8080 }, ...often } })],
  });
  api.addPod("r", {
    containers: [container("bad", "web", { readinessProbe: { httpGet: { path: "/bad", port: 8080 }, ...often } })],
  });
  await api.until("p", isReady);
  await api.until("q", isReady);
  expect(statusOf(api.pod("r"), "bad")).toMatchObject({ started: true, ready: false });
});

test("a probe that hangs is killed after its timeout", async () => {
  const harness = await startHarness({ here });
  const readinessProbe = { exec: { command: ["sh", "-c", "echo $$ > pid; sleep 1000"] }, timeoutSeconds: 1 };
  const pod = harness.api.addPod("p", { containers: [container("x", "here", { readinessProbe })] });
  const [, folder] = await printed(harness, pod, "x", /folder (.*)/);
  await ended(await written(`${folder}/pid`));
  expect(statusOf(harness.api.pod("p"), "x")).toMatchObject({ ready: false, state: { running: {} } });
});
