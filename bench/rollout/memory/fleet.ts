// SPDX-License-Identifier: Apache-2.0
import type { KubeObject } from "@hot/kube";
import { HASH_ANNOTATION, HASH_WITHOUT_IMAGE_ANNOTATION, sidecarSetHashes, type Pod, type SidecarSet } from "@hot/spec";
import { largePod } from "../../../packages/controller/test/support/large-pod.ts";

export const SETS = 50;
export const EMPTY = "registry.example.com/hot/standby:v1";
const CURRENT = "registry.example.com/mesh/proxy:v1.17.2";
export const WISH = "registry.example.com/mesh/proxy:v1.18.0";
/** As the pods have it. */
const HASH = "5".padStart(64, "0");

/** Which SidecarSet a pod belongs to: the first `own` ones to the first, the others to all others in turn. */
export interface Shares {
  readonly own: number;
}

export const EVEN: Shares = { own: 0 };

export function setOf(index: number, { own }: Shares): number {
  if (own === 0) return index % SETS;
  return index < own ? 0 : 1 + (index % (SETS - 1));
}

/** JSON of more than 10 KB: a pod with one hot container, injected by its SidecarSet. */
export function podText(index: number, shares: Shares): string {
  const set = setOf(index, shares);
  return largePod(index)
    .replaceAll(/mesh(?=\\?")/g, `mesh-${set}`)
    .replace('"tier":"front"', `"tier":"front-${set}"`);
}

export function podOf(index: number, shares: Shares): Pod & KubeObject {
  return JSON.parse(podText(index, shares)) as Pod & KubeObject;
}

/** A SidecarSet whose pods are all up to date; with another image none is. */
export function meshOf(set: number, image = CURRENT): SidecarSet & KubeObject {
  const spec: SidecarSet["spec"] = {
    selector: { matchLabels: { tier: `front-${set}` } },
    updateStrategy: { type: "RollingUpdate", maxUnavailable: "100%" },
    containers: [
      {
        name: "x",
        image,
        readinessProbe: { exec: { command: ["/hot-standby", "probe"] }, periodSeconds: 10, timeoutSeconds: 1 },
        upgradeStrategy: { upgradeType: "HotUpgrade", hotUpgradeEmptyImage: EMPTY },
      },
    ],
  };
  const { hash } = sidecarSetHashes({ spec });
  const generation = image === CURRENT ? 1 : 2;
  return {
    apiVersion: "apps.kruise.io/v1beta1",
    kind: "SidecarSet",
    metadata: {
      name: `mesh-${set}`,
      uid: `uid-mesh-${set}`,
      generation,
      resourceVersion: String(2 + generation),
      annotations: {
        [HASH_ANNOTATION]: image === CURRENT ? HASH : hash,
        [HASH_WITHOUT_IMAGE_ANNOTATION]: HASH,
      },
    },
    spec,
  };
}

export const namespaces = (): KubeObject[] =>
  Array.from({ length: 40 }, (_, index) => ({ metadata: { name: `team-${index}`, uid: `n${index}`, labels: {} } }));
