// SPDX-License-Identifier: Apache-2.0
import { sidecarSetHashes, type Pod, type SidecarContainer, type SidecarSet } from "@hot/spec";

/** About 10 KB of JSON: four containers with env, mounts and probes. */
export function tenKilobytePod(): Pod {
  const containers = Array.from({ length: 4 }, (_, index) => ({
    name: `app-${index}`,
    image: `registry.example/shop/app-${index}:1.${index}`,
    env: Array.from({ length: 40 }, (_unused, at) => ({ name: `SETTING_${index}_${at}`, value: "value".repeat(4) })),
    volumeMounts: ["data", "config", "logs"].map((name) => ({ name, mountPath: `/var/${name}/${index}` })),
    readinessProbe: { httpGet: { path: "/ready", port: 8080 }, periodSeconds: 5 },
  }));
  return {
    metadata: { namespace: "shop", name: "web-0", labels: { app: "web", team: "shop" }, annotations: { note: "x" } },
    spec: {
      containers,
      volumes: ["data", "config", "logs"].map((name) => ({ name, emptyDir: {} })),
    },
  };
}

/** A hot mesh, a log shipper that shares mounts, and a metrics agent that copies an env. */
export function threeSidecarSets(): SidecarSet[] {
  return [
    stored("mesh", {
      name: "proxy",
      image: "proxy:1",
      upgradeStrategy: { upgradeType: "HotUpgrade", hotUpgradeEmptyImage: "empty:1" },
    }),
    stored("log", { name: "log", image: "log:1", shareVolumePolicy: { type: "enabled" } }),
    stored("metrics", {
      name: "metrics",
      image: "metrics:1",
      transferEnv: [{ sourceContainerName: "app-0", envNames: ["SETTING_0_1"] }],
    }),
  ];
}

/** The same three among others, for other labels or another namespace. */
export function thousandSidecarSets(): SidecarSet[] {
  const others = Array.from({ length: 997 }, (_, index) =>
    stored(`other-${index}`, { name: "x", image: "x:1" }, `other-${index}`),
  );
  return [...others, ...threeSidecarSets()];
}

export function threeContainers(): SidecarSet["spec"] {
  const containers = threeSidecarSets().flatMap((one) => one.spec.containers ?? []);
  return { selector: { matchLabels: { app: "web" } }, containers };
}

function stored(name: string, container: SidecarContainer, app = "web"): SidecarSet {
  const spec = { selector: { matchLabels: { app } }, containers: [container] };
  const { hash, hashWithoutImage } = sidecarSetHashes({ spec });
  return {
    metadata: {
      name,
      annotations: {
        "kruise.io/sidecarset-hash": hash,
        "kruise.io/sidecarset-hash-without-image": hashWithoutImage,
      },
    },
    spec,
  };
}
