// SPDX-License-Identifier: Apache-2.0
// The commands of samples/hotupgrade/README.md, typed as they stand there.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Pod } from "@hot/spec";
import { expect, inject, onTestFinished, test } from "vitest";
import { cluster, isReady, kubectl, losses, own, pods, startLoad, until } from "./kit.ts";
import { pairState } from "./pair-state.ts";
import { expectAppUntouched, statusOf, watchPods } from "./pod-history.ts";

const FOLDER = "samples/hotupgrade";

/** The commands of each numbered section, but for those that go on until the user ends them. */
const sections = readFileSync(`${FOLDER}/README.md`, "utf8")
  .split(/^## /m)
  .slice(1)
  .map((section) => ({
    title: section.split("\n", 1)[0] ?? "",
    commands: [...section.matchAll(/```sh\n(.*?)```/gs)]
      .flatMap(([, block = ""]) => block.trim().split("\n"))
      .filter((command) => !/--watch|port-forward|^while /.test(command)),
  }));

function type(number: number): string {
  const section = sections.find(({ title }) => title.startsWith(`${number}. `));
  if (section === undefined || section.commands.length === 0) throw new RangeError(`no commands in section ${number}`);
  const path = own ? `${dirname(cluster().kubectlPath)}:` : "";
  const env = { ...process.env, PATH: `${path}${process.env["PATH"]}`, KUBECONFIG: inject("kubeconfig") };
  const script = ["set -euo pipefail", ...section.commands].join("\n");
  return execFileSync("bash", ["-c", script], { env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

const hot = (tag: string): string => `hot/${tag}`;

/** Waits until all pods of the sample are at rest with these images, which the kubelet reports under their full names. */
function settledOn(first: string, second: string): Promise<Pod[]> {
  const images = [hot(first), hot(second)];
  const settled = (pod: Pod): boolean =>
    isReady(pod) &&
    pairState(pod).images.join() === images.join() &&
    ["sidecar-1", "sidecar-2"].every((name, side) => statusOf(pod, name)?.image?.endsWith(images[side] ?? "") === true);
  const ours = async (): Promise<Pod[]> =>
    (await pods("default")).filter(({ metadata }) => metadata.labels?.["app"] === "web");
  return until(
    `four pods with ${images.join(" and ")}`,
    async () => {
      const found = await ours();
      return found.length === 4 && found.every(settled) && found;
    },
    60_000,
    async () => (await ours()).map((pod) => [pairState(pod), pod.status?.containerStatuses]),
  );
}

test("samples/hotupgrade as its README says: nothing is lost from the first to the last command", async () => {
  onTestFinished(() => void kubectl(["delete", "-f", FOLDER, "--ignore-not-found", "--wait=false"]));
  const history = await watchPods("default");
  expect(type(1)).toContain('{"sidecar":"sidecar-1"}');
  const load = startLoad(await settledOn("sidecar-demo:v1", "standby:v1"));

  const events = type(3);
  for (const reason of ["HotUpgradeStarted", "TakeoverObserved", "ContainerReset"]) expect(events).toContain(reason);
  await settledOn("standby:v1", "sidecar-demo:v2");

  type(4);
  await settledOn("sidecar-demo:v3", "standby:v1");

  expect(type(5)).toMatch(/Stalled=True .*ImagePullFailed/);
  const last = await settledOn("standby:v1", "sidecar-demo:v2");
  for (const pod of last) expectAppUntouched(history.of(pod));
  const report = await load.stop();
  expect(losses(report)).toEqual([]);
  for (const of of Object.values(report.answersBySidecar)) {
    expect(new Set(Object.keys(of).map((by) => by.split("/")[0]))).toEqual(new Set(["v1", "v2", "v3"]));
  }

  type(6);
  await until(
    "the pods are gone",
    async () => (await pods("default")).length === 0,
    60_000,
    () => pods("default"),
  );
});
