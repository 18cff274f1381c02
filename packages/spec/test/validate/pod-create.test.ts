// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { defaultSidecarSet, validateSidecarSet } from "../../src/index.ts";

/** A pod, and whether kube-apiserver 1.36.3 accepted its creation (`dryRun=All`). */
interface Recorded {
  containers: { name: string }[];
  initContainers: object[];
  /** Absent: {@link VOLUMES}. */
  volumes?: object[];
  accepted: boolean;
}

const claim = { spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } };
const VOLUMES = [
  { name: "v", emptyDir: {} },
  { name: "p", persistentVolumeClaim: { claimName: "p" } },
  { name: "q", persistentVolumeClaim: { claimName: "q" } },
  { name: "e", ephemeral: { volumeClaimTemplate: claim } },
];

const text = readFileSync(new URL("pod-create.jsonl", import.meta.url), "utf8");
const recorded = text
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Recorded);

/** Where we judge otherwise than this API server. */
const OTHERWISE: [why: string, accepted: boolean, text: RegExp][] = [
  [
    "restartPolicy of containers, and others than Always, came with 1.34; Kruise knows 1.32",
    false,
    /"restartPolicy":"/,
  ],
  ["sleeping for 0 s came with 1.33", false, /"seconds":0/],
  ["resizePolicy of init containers came after 1.32", false, /"initContainers":\[\{.*"resizePolicy"/],
  ["the grace period belongs to the pod", true, /"seconds":31/],
  [
    "since 1.33 names of ConfigMaps and Secrets in env are looked at",
    true,
    /"(?:configMapKeyRef|configMapRef)":\{"name":"[A-Z]/,
  ],
  ["the service account belongs to the pod", true, /"serviceAccountToken":\{"path":"a"\}/],
  ["kinds of Azure disks are not looked at", true, /"azureDisk"/],
];

function isAccepted({ containers, initContainers, volumes = VOLUMES }: Recorded): boolean {
  const selector = { matchLabels: { app: "x" } };
  const spec = { selector, containers, initContainers, volumes, updateStrategy: { type: "NotUpdate" } };
  const { object } = defaultSidecarSet({ metadata: { name: "ss" }, spec }, "v1beta1");
  return validateSidecarSet({ operation: "CREATE", object }).errors.length === 0;
}

describe("a SidecarSet is accepted where a pod with its containers and volumes is", () => {
  it("has enough of both", () => {
    expect(recorded.filter(({ accepted }) => accepted).length).toBeGreaterThan(200);
    expect(recorded.filter(({ accepted }) => !accepted).length).toBeGreaterThan(200);
  });

  it.each(recorded.map((pod) => [JSON.stringify(pod), pod] as const))("%s", (line, pod) => {
    const accepted = isAccepted(pod);
    if (accepted === pod.accepted) return;
    expect(OTHERWISE.filter(([, ours, pattern]) => ours === accepted && pattern.test(line))).not.toEqual([]);
  });
});
