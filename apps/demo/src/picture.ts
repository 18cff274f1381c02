// SPDX-License-Identifier: Apache-2.0
import { pairNames, VERSION_ANNOTATION_PREFIX, WORKING_ANNOTATION, type Pod, type SidecarSet } from "@hot/spec";
import { total, type TallySnapshot } from "./load/tally.ts";

const mark = { ready: "●", waiting: "◌", down: "✗" } as const;

/** The tree of pods and their two sides, and the traffic by version, as lines for a terminal. */
export function picture(
  pods: readonly Pod[],
  sidecarSet: SidecarSet | undefined,
  base: string,
  tally: TallySnapshot | undefined,
): string[] {
  return [
    "",
    setLine(sidecarSet),
    ...pods.flatMap((pod, index) => podLines(pod, base, index === pods.length - 1)),
    ...trafficLines(tally),
  ];
}

function setLine(sidecarSet: SidecarSet | undefined): string {
  const { matchedPods = 0, updatedPods = 0, upgradingPods = 0, conditions = [] } = sidecarSet?.status ?? {};
  const state = ["Stalled", "Paused", "Reconciling", "Ready"].find((type) =>
    conditions.some((condition) => condition.type === type && condition.status === "True"),
  );
  const image = sidecarSet?.spec.containers?.[0]?.image ?? "";
  return `${sidecarSet?.metadata.name ?? ""}  ${image}  ${state ?? "…"}  ${updatedPods}/${matchedPods} updated, ${upgradingPods} upgrading`;
}

function podLines(pod: Pod, base: string, last: boolean): string[] {
  const ready = pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True");
  const working = (JSON.parse(pod.metadata.annotations?.[WORKING_ANNOTATION] ?? "{}") as Record<string, string>)[base];
  const sides = pairNames(base).map((name, index) => {
    const branch = `${last ? " " : "│"}  ${index === 0 ? "├" : "└"}─`;
    return `${branch} ${sideLine(pod, name, name === working)}`;
  });
  return [`${last ? "└" : "├"}─ ${ready ? mark.ready : mark.waiting} ${pod.metadata.name}`, ...sides];
}

function sideLine(pod: Pod, name: string, working: boolean): string {
  const image = pod.spec.containers.find((container) => container.name === name)?.image ?? "";
  const status = pod.status?.containerStatuses?.find((container) => container.name === name);
  const version = pod.metadata.annotations?.[VERSION_ANNOTATION_PREFIX + name];
  const role = version === "0" ? "empty" : working ? "working" : "old";
  const waiting = status?.state?.waiting?.reason;
  const changing = status !== undefined && status.image !== image;
  const state = waiting ?? (changing ? `${status.image} -> ${image}` : status?.ready ? "ready" : "not ready");
  const sign = waiting ? mark.down : status?.ready && !changing ? mark.ready : mark.waiting;
  return `${sign} ${name.padEnd(12)}${role.padEnd(9)}${image.padEnd(24)}${state}`;
}

function trafficLines(tally: TallySnapshot | undefined): string[] {
  if (!tally) return ["", "traffic: none yet"];
  const byVersion: Record<string, number> = {};
  for (const bySidecar of Object.values(tally.answersBySidecar)) {
    for (const [sidecar, answers] of Object.entries(bySidecar)) {
      const version = sidecar.split("/")[0] ?? "";
      byVersion[version] = (byVersion[version] ?? 0) + answers;
    }
  }
  const versions = Object.entries(byVersion).map(([version, answers]) => `${version} ${answers}`);
  return [
    "",
    `answers: ${versions.join("  ")}`,
    `requests: ${total(tally.requests)} sent, ${total(tally.failed)} failed, ${total(tally.lostConnections)} connections lost`,
  ];
}
