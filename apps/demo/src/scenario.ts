// SPDX-License-Identifier: Apache-2.0
import { pairNames, type Pod } from "@hot/spec";
import type { Api } from "@hot/kube";
import { SIDECAR_SETS, type Fleet } from "./fleet.ts";
import type { Load } from "./load/load.ts";
import type { TallySnapshot } from "./load/tally.ts";
import { settledOn } from "./settled.ts";
import type { AbortResult, UpgradeResult } from "./summary.ts";

const UPGRADE_SECONDS = 60;

/** What the steps act on. */
export interface Stage {
  api: Api;
  fleet: Fleet;
  load: Load;
  sidecarSet: string;
  base: string;
}

const tag = (image: string): string => image.slice(image.lastIndexOf(":") + 1);

async function setImage({ api, sidecarSet }: Stage, image: string): Promise<void> {
  const body = [{ op: "replace", path: "/spec/containers/0/image", value: image }];
  await api.patch(SIDECAR_SETS, sidecarSet, { type: "json", body });
}

/** Changes the image and waits until every pod is updated, reset and ready; the time of each is taken. */
export async function upgrade(stage: Stage, from: string, to: string): Promise<UpgradeResult> {
  const begin = performance.now();
  const podMs: Record<string, number> = {};
  await setImage(stage, to);
  await stage.fleet.until(`the hot upgrade to ${to}`, UPGRADE_SECONDS, () => {
    const pods = stage.fleet.pods();
    for (const pod of pods) {
      const name = pod.metadata.name ?? "";
      if (podMs[name] === undefined && settledOn(pod, stage.base, to)) podMs[name] = performance.now() - begin;
    }
    return pods.every((pod) => podMs[pod.metadata.name ?? ""] !== undefined);
  });
  return { from: tag(from), to: tag(to), podMs };
}

/** Changes the image to a broken one and waits until the SidecarSet is stalled and every pod is back where it was. */
export async function upgradeToBroken(
  stage: Stage,
  from: string,
  broken: string,
  say: (s: string) => void,
): Promise<AbortResult> {
  const { fleet, load } = stage;
  await setImage(stage, broken);
  await fleet.until(`the abort of ${broken}`, UPGRADE_SECONDS, () => stalled(fleet) !== undefined);
  const condition = stalled(fleet);
  const before = load.latest();
  let told = false;
  say(`the controller aborted ${tag(broken)}: ${condition?.reason}: ${condition?.message}`);
  await fleet.until(`the return of the pods to ${from}`, UPGRADE_SECONDS, () => {
    const waiting = fleet.pods().find((pod) => backOff(pod, stage.base));
    if (waiting && !told) {
      told = true;
      say(
        `${waiting.metadata.name} waits for the kubelet's back-off: the empty image came back for the second time in ten minutes`,
      );
    }
    return fleet.pods().every((pod) => settledOn(pod, stage.base, from));
  });
  const pods = fleet.sidecarSet()?.status?.failedPods ?? 0;
  const { reason = "", message = "" } = condition ?? {};
  return { image: tag(broken), reason, message, pods, answeredBy: answersSince(before, load.latest()) };
}

function stalled(fleet: Fleet) {
  const { metadata, status } = fleet.sidecarSet() ?? {};
  return status?.conditions?.find(
    ({ type, status: value, observedGeneration }) =>
      type === "Stalled" && value === "True" && observedGeneration === metadata?.generation,
  );
}

function backOff(pod: Pod, base: string): boolean {
  return pairNames(base).some(
    (name) =>
      pod.status?.containerStatuses?.find((status) => status.name === name)?.state?.waiting?.reason ===
      "CrashLoopBackOff",
  );
}

/** Answers by sidecar, over all pods, between two reports. */
export function answersSince(
  before: TallySnapshot | undefined,
  after: TallySnapshot | undefined,
): Record<string, number> {
  const result: Record<string, number> = {};
  for (const [pod, bySidecar] of Object.entries(after?.answersBySidecar ?? {})) {
    for (const [sidecar, answers] of Object.entries(bySidecar)) {
      const more = answers - (before?.answersBySidecar[pod]?.[sidecar] ?? 0);
      if (more > 0) result[sidecar] = (result[sidecar] ?? 0) + more;
    }
  }
  return result;
}
