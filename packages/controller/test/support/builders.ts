// SPDX-License-Identifier: Apache-2.0
import {
  HASH_ANNOTATION,
  HASH_WITHOUT_IMAGE_ANNOTATION,
  INJECTED_LIST_ANNOTATION,
  sidecarSetHashes,
  WORKING_ANNOTATION,
  type Container,
  type ContainerStatus,
  type Pod,
  type SidecarContainer,
  type SidecarSet,
  type UpdateStrategy,
} from "@hot/spec";

export const T0 = Date.UTC(2030, 0, 1);
export const EMPTY = "e:1";
const EXEC_PROBE = { exec: { command: ["/hot-standby", "probe"] } };

export interface SidecarSetParts {
  name?: string;
  image?: string;
  empty?: string;
  generation?: number;
  resourceVersion?: string;
  strategy?: UpdateStrategy;
  probe?: Container["readinessProbe"] | null;
  /** Replaces the one hot container `x`. */
  containers?: SidecarContainer[];
}

export function hotContainer(name: string, image: string, empty = EMPTY, probe: SidecarSetParts["probe"] = EXEC_PROBE) {
  return {
    name,
    image,
    ...(probe && { readinessProbe: probe }),
    upgradeStrategy: { upgradeType: "HotUpgrade" as const, hotUpgradeEmptyImage: empty },
  } satisfies SidecarContainer;
}

/** A stored SidecarSet `mesh` with one hot container `x` and its hashes. */
export function sidecarSet(parts: SidecarSetParts = {}): SidecarSet {
  const { name = "mesh", image = "x:2", empty = EMPTY, generation = 2, resourceVersion = "5000", strategy } = parts;
  const containers = parts.containers ?? [hotContainer("x", image, empty, parts.probe)];
  const spec = {
    selector: { matchLabels: { app: "web" } },
    containers,
    updateStrategy: { type: "RollingUpdate" as const, ...strategy },
  };
  const hashes = sidecarSetHashes({ spec });
  return {
    apiVersion: "apps.kruise.io/v1beta1",
    kind: "SidecarSet",
    metadata: {
      name,
      uid: `uid-${name}`,
      generation,
      resourceVersion,
      annotations: { [HASH_ANNOTATION]: hashes.hash, [HASH_WITHOUT_IMAGE_ANNOTATION]: hashes.hashWithoutImage },
    },
    spec,
  };
}

/** A pod as the webhook and a kubelet leave it, injected by this SidecarSet: `x-1` serves, `x-2` is empty. */
export function injectedPod(from: SidecarSet, name = "web-0"): Pod {
  const hot = (from.spec.containers ?? []).filter((one) => one.upgradeStrategy?.upgradeType === "HotUpgrade");
  const pairs = hot.flatMap((one) => [
    container({ ...one, name: `${one.name}-1` }),
    container({ ...one, name: `${one.name}-2`, image: one.upgradeStrategy?.hotUpgradeEmptyImage ?? "" }),
  ]);
  const cold = (from.spec.containers ?? []).filter((one) => !hot.includes(one)).map((one) => container(one));
  const containers = [{ name: "main", image: "main:1" }, ...cold, ...pairs];
  const sidecarList = (from.spec.containers ?? []).map((one) => one.name).sort();
  const entry = (hash: string | undefined) =>
    JSON.stringify({ [from.metadata.name ?? ""]: { hash, sidecarSetName: from.metadata.name, sidecarList } });
  const versions = hot.flatMap(({ name }) => [
    [`version.sidecarset.kruise.io/${name}-1`, "1"],
    [`version.sidecarset.kruise.io/${name}-2`, "0"],
    [`versionalt.sidecarset.kruise.io/${name}-1`, "0"],
    [`versionalt.sidecarset.kruise.io/${name}-2`, "1"],
  ]);
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      namespace: "ns1",
      name,
      uid: `uid-${name}`,
      resourceVersion: "100",
      generation: 1,
      creationTimestamp: "2029-12-31T00:00:00Z",
      labels: { app: "web" },
      annotations: {
        [INJECTED_LIST_ANNOTATION]: from.metadata.name ?? "",
        [HASH_ANNOTATION]: entry(from.metadata.annotations?.[HASH_ANNOTATION]),
        [HASH_WITHOUT_IMAGE_ANNOTATION]: entry(from.metadata.annotations?.[HASH_WITHOUT_IMAGE_ANNOTATION]),
        [WORKING_ANNOTATION]: JSON.stringify(Object.fromEntries(hot.map(({ name }) => [name, `${name}-1`]))),
        ...Object.fromEntries(versions),
      },
    },
    spec: { containers, nodeName: "n1" },
    status: {
      observedGeneration: 1,
      phase: "Running",
      conditions: [
        { type: "Ready", status: "True", lastTransitionTime: "2029-12-31T00:00:10Z" },
        { type: "ContainersReady", status: "True", lastTransitionTime: "2029-12-31T00:00:10Z" },
      ],
      containerStatuses: containers.map((one) => running(one.name, one.image ?? "")),
    },
  };
}

function container({ name, image, readinessProbe, startupProbe }: Container): Container {
  return {
    name,
    ...(image !== undefined && { image }),
    ...(readinessProbe && { readinessProbe }),
    ...(startupProbe && { startupProbe }),
  };
}

export function running(
  name: string,
  image: string,
  instance = 1,
  extra: Partial<ContainerStatus> = {},
): ContainerStatus {
  return {
    name,
    image,
    imageID: `sha256:${image}`,
    containerID: `c://${name}-${image}-${instance}`,
    ready: true,
    started: true,
    restartCount: instance - 1,
    state: { running: { startedAt: "2029-12-31T00:00:05Z" } },
    ...extra,
  };
}
