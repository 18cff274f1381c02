// SPDX-License-Identifier: Apache-2.0
import type { Container, Pod, SidecarContainer, SidecarSet, SidecarSetSpec } from "@hot/spec";

export const NOW = "2026-01-02T03:04:05Z";

/** A pod labelled `app: web` with one container `main`. */
export function aPod(spec: Partial<Pod["spec"]> = {}, annotations?: Record<string, string>): Pod {
  return {
    metadata: { name: "web-0", namespace: "shop", labels: { app: "web" }, ...(annotations && { annotations }) },
    spec: { containers: [aContainer("main")], ...spec },
  };
}

export function aContainer(name: string, rest: Partial<Container> = {}): Container {
  return { name, image: `${name}:1`, ...rest };
}

/** A SidecarSet for `app: web`, stored form. */
export function aSidecarSet(
  name: string,
  containers: SidecarContainer[],
  spec: Partial<SidecarSetSpec> = {},
): SidecarSet {
  return {
    metadata: {
      name,
      annotations: { "kruise.io/sidecarset-hash": `hash-of-${name}`, "kruise.io/sidecarset-hash-without-image": "cfg" },
    },
    spec: { selector: { matchLabels: { app: "web" } }, containers, ...spec },
  };
}

export function aHotContainer(name: string, rest: Partial<SidecarContainer> = {}): SidecarContainer {
  const upgradeStrategy = { upgradeType: "HotUpgrade", hotUpgradeEmptyImage: "empty:1" } as const;
  return { name, image: `${name}:1`, podInjectPolicy: "AfterAppContainer", upgradeStrategy, ...rest };
}
