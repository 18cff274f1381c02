// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Lifecycle } from "@hot/spec";
import {
  alive,
  container,
  ended,
  isReady,
  OBEDIENT,
  printed,
  script,
  startHarness,
  states,
  statusOf,
  written,
} from "./node-harness.ts";

/** Runs in every instance; does `act` in those of image b only, told apart by what the image has in its env. */
const onlyInB = (act: string): Lifecycle => ({
  postStart: { exec: { command: ["sh", "-c", `test "$IMAGE" = a || { ${act}; }`] } },
});
const a = { ...OBEDIENT, env: { IMAGE: "a" } };

test("while a postStart hook runs the API shows the old container ready, and a revert waits for the hook", async () => {
  const harness = await startHarness({
    a,
    b: { ...script("echo in $(pwd); while :; do sleep 60 & wait $!; done"), env: { IMAGE: "b" } },
  });
  const { api } = harness;
  const lifecycle = onlyInB("while ! test -e done; do sleep 0.02; done");
  const pod = api.addPod("p", {
    containers: [container("x", "a", { lifecycle }), container("y", "a")],
    terminationGracePeriodSeconds: 1,
  });
  const before = await api.until("p", isReady);
  api.setImage("p", "x", "b");
  const [, folder] = await printed(harness, pod, "x", /in (.*)/, 1);
  api.setImage("p", "x", "a");
  const during = await api.until("p", (one) => one.status?.observedGeneration === 2);
  await new Promise((resolve) => setTimeout(resolve, 300)); // room for a write that must not come
  expect(api.pod("p").status).toEqual(during.status);
  expect(during.status?.observedGeneration).toBe(2); // the generation is 3
  expect(statusOf(during, "x")).toEqual(statusOf(before, "x"));
  expect(isReady(during)).toBe(true);

  writeFileSync(`${folder}/done`, "");
  const after = await api.until("p", (one) => statusOf(one, "x")?.restartCount === 2);
  expect(statusOf(after, "x")).toMatchObject({ image: "a", ready: true });
  expect(states(api, "p", "x", (status) => `${status.image} ${status.restartCount} ${status.ready}`)).toEqual([
    "a 0 false",
    "a 0 true",
    "b 1 true", // the hook had ended: reported once, then replaced
    "a 2 true",
  ]);
});

test("a hook that fails: PostStartHookError, the container is killed, then CrashLoopBackOff; the pod is not ready", async () => {
  const harness = await startHarness({
    a,
    b: script("echo pid $$$$; touch runs; while :; do sleep 60 & wait $!; done", { env: { IMAGE: "b" } }),
  });
  const { api } = harness;
  // A hook that fails before the container has said its number would have it killed unheard.
  const lifecycle = onlyInB("while ! test -e runs; do sleep 0.02; done; echo no takeover; exit 7");
  const pod = api.addPod("p", {
    containers: [container("x", "a", { lifecycle }), container("y", "a")],
    terminationGracePeriodSeconds: 1,
  });
  await api.until("p", isReady);
  api.setImage("p", "x", "b");
  const [, pid = ""] = await printed(harness, pod, "x", /pid (\d+)/, 1);
  const failed = await api.until("p", (one) => statusOf(one, "x")?.state?.waiting?.reason === "PostStartHookError");
  expect(statusOf(failed, "x")?.state?.waiting?.message).toMatch(
    /^Exec lifecycle hook \(\[sh -c .*\]\) for Container "x" in Pod "p_default\(.*\)" failed - error: command '.*' exited with 7: , message: "no takeover\\n"$/,
  );
  expect(isReady(failed)).toBe(false);
  expect(alive(pid)).toBe(false);
  // the first restart comes at once and fails too; the second waits
  const waiting = await api.until("p", (one) => statusOf(one, "x")?.state?.waiting?.reason === "CrashLoopBackOff");
  expect(statusOf(waiting, "x")?.state?.waiting?.message).toMatch(
    /^back-off 10s restarting failed container=x pod=p_default\(/,
  );
  expect(statusOf(waiting, "x")).toMatchObject({
    image: "b",
    restartCount: 2,
    ready: false,
    lastState: { terminated: {} },
  });
  expect(api.history.some((one) => isReady(one) && statusOf(one, "x")?.image === "b")).toBe(false);
  // another image starts at once: the back-off is the image's
  api.setImage("p", "x", "a");
  await api.until("p", isReady);
});

test("a container that ends in mid-hook takes the hook with it", async () => {
  const harness = await startHarness({
    crash: script("echo folder $(pwd); while ! test -e begun; do sleep 0.02; done; exit 5"),
  });
  const { api } = harness;
  const postStart = { exec: { command: ["sh", "-c", "echo $$ > begun.tmp; mv begun.tmp begun; sleep 1000"] } };
  const pod = api.addPod("p", { containers: [container("x", "crash", { lifecycle: { postStart } })] });
  const [, folder] = await printed(harness, pod, "x", /folder (.*)/);
  const failed = await api.until("p", (one) => statusOf(one, "x")?.state?.waiting?.reason === "PostStartHookError");
  expect(statusOf(failed, "x")?.lastState?.terminated).toMatchObject({ exitCode: 5, reason: "Error" });
  await ended(readFileSync(`${folder}/begun`, "utf8"));
});

test("kubelet killed in mid-hook: the hook is cut and never run again, yet the container is reported running and ready", async () => {
  const harness = await startHarness({
    a,
    b: { ...script("echo folder $(pwd); while :; do sleep 60 & wait $!; done"), env: { IMAGE: "b" } },
  });
  const { api, agent } = harness;
  const lifecycle = onlyInB("echo run >> hooks; echo $$ > pid; sleep 1000");
  const pod = api.addPod("p", { containers: [container("x", "a", { lifecycle })] });
  const before = await api.until("p", isReady);
  api.setImage("p", "x", "b");
  const [, folder] = await printed(harness, pod, "x", /folder (.*)/, 1);
  const hook = await written(`${folder}/pid`);
  agent.crash();
  await ended(hook);
  expect(statusOf(api.pod("p"), "x")).toEqual(statusOf(before, "x"));

  await agent.restart();
  const after = await api.until("p", (one) => statusOf(one, "x")?.image === "b" && isReady(one));
  expect(statusOf(after, "x")).toMatchObject({ restartCount: 1, ready: true, started: true, state: { running: {} } });
  expect(readFileSync(`${folder}/hooks`, "utf8")).toBe("run\n");
});

test("hooks over HTTP and by sleep", async () => {
  const server = `let bye = 0;
    process.on("SIGTERM", () => process.exit(bye));
    require("http").createServer((request, answer) => {
      if (request.url === "/bye") bye = 9;
      answer.end();
    }).listen(8080, process.env.POD_IP, () => console.log("up"))`;
  const harness = await startHarness({
    web: { entrypoint: [process.execPath, "-e", server], env: { POD_IP: "$(POD_IP)" } },
  });
  const { api } = harness;
  const lifecycle = { postStart: { sleep: { seconds: 1 } }, preStop: { httpGet: { path: "/bye", port: "web" } } };
  const pod = api.addPod("p", {
    containers: [container("x", "web", { ports: [{ name: "web", containerPort: 8080 }], lifecycle })],
  });
  await api.until("p", isReady);
  await printed(harness, pod, "x", /up/);
  api.deletePod("p");
  const last = await api.until("p", (one) => statusOf(one, "x")?.state?.terminated !== undefined);
  expect(statusOf(last, "x")?.state?.terminated?.exitCode).toBe(9); // TERM came after the hook
  await api.untilGone("p");
});
