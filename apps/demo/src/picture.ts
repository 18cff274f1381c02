// SPDX-License-Identifier: Apache-2.0
import { explainPod, type PodView, type SidecarSetView, type SideView } from "@hot/controller";
import { total, type TallySnapshot } from "./load/tally.ts";

/** The tree of pods and their two sides, and the traffic by version, as lines for a terminal. */
export function picture(view: SidecarSetView, tally: TallySnapshot | undefined): string[] {
  const { name, state, matched, updated, pods } = view;
  return [
    "",
    `${name}   ${state}   ${updated} of ${matched} updated`,
    ...pods.flatMap((pod, index) => podLines(pod, index === pods.length - 1)),
    ...trafficLines(tally),
  ];
}

function podLines(pod: PodView, last: boolean): string[] {
  const { code, reason } = explainPod(pod);
  const sides = pod.pairs.flatMap(({ sides: both }) => both);
  const why = reason === "UpToDate" ? "" : `  ${code} ${reason}`;
  return [
    `${last ? "└─" : "├─"} ${pod.ready ? "●" : "◌"} ${pod.name}${why}`,
    ...sides.map((side, index) => `${last ? " " : "│"}  ${index === sides.length - 1 ? "└─" : "├─"} ${sideLine(side)}`),
  ];
}

const signs: Record<SideView["observed"], string> = {
  ready: "●",
  running: "◌",
  starting: "◌",
  ended: "✗",
  waiting: "✗",
};

function sideLine({ container, role, image, observed, waiting }: SideView): string {
  return `${signs[observed]} ${container.padEnd(12)}${role.padEnd(10)}${image.padEnd(24)}${waiting ?? observed}`;
}

function trafficLines(tally: TallySnapshot | undefined): string[] {
  if (!tally) return ["", "no traffic yet"];
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
    `answers   ${versions.join("   ")}`,
    `requests  ${total(tally.requests)} sent, ${total(tally.failed)} failed, ${total(tally.lostConnections)} connections lost`,
  ];
}
