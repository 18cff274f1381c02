// SPDX-License-Identifier: Apache-2.0
import {
  INJECTED_ENV,
  pairNames,
  type Container,
  type Pod,
  type ResourcesPolicy,
  type SidecarContainer,
  type SidecarSet,
} from "@hot/spec";
import { appendEnv, transferredEnv } from "./env.ts";
import { splitPair } from "./hot-pair.ts";
import { oncePer } from "./once-per.ts";
import { InjectionDenied, warning } from "./report.ts";
import { resourcesOf, ResourcesPolicyError } from "./resources.ts";
import { mountsOf, wantedVolumes, type Shareable, type WantedVolumes } from "./volumes.ts";

/** A container as it will stand in the pod. */
export interface BuiltContainer {
  sidecarSet: string;
  container: Container;
  before: boolean;
}

/** Everything that one SidecarSet brings into a pod. */
export interface BuiltSidecarSet {
  sidecarSet: SidecarSet;
  initContainers: BuiltContainer[];
  containers: BuiltContainer[];
  /** Base names of the hot pairs. */
  pairs: readonly string[];
  volumes: WantedVolumes;
  warnings: string[];
}

/** What sidecars take from a pod. */
export interface Sources {
  pod: Pod;
  /** Its containers without those of the SidecarSets at hand, so that a second injection equals the first. */
  appContainers: readonly Container[];
  /** The mounts and devices of the app containers. */
  shared: () => Shareable;
  /** What resourcesPolicy may look at. */
  targets: readonly Container[];
}

/**
 * Turns a SidecarSet into finished containers for one pod.
 *
 * @throws {InjectionDenied} when a resourcesPolicy can't be evaluated for this pod
 */
export function buildSidecars(sidecarSet: SidecarSet, sources: Sources): BuiltSidecarSet {
  const inits = sidecarSet.spec.initContainers ?? [];
  const sidecars = sidecarSet.spec.containers ?? [];
  const warnings: string[] = [];
  const build = (sidecar: SidecarContainer, hot: boolean): BuiltContainer[] => {
    const { container, missing } = buildContainer(sidecar, sources);
    const where = `SidecarSet ${sidecarSet.metadata.name ?? ""}, container ${sidecar.name}`;
    if (sidecar.resourcesPolicy !== undefined) {
      container.resources = evaluateResources(sidecar.resourcesPolicy, sources.targets, sidecarSet, where);
    }
    for (const env of missing) {
      warnings.push(warning("TransferEnvSkipped", `${where}: transferEnv found no env ${env}`));
    }
    const built = hot ? splitPair(container, sidecar.upgradeStrategy?.hotUpgradeEmptyImage) : [container];
    const before = sidecar.podInjectPolicy === "BeforeAppContainer";
    return built.map((one) => ({ sidecarSet: sidecarSet.metadata.name ?? "", container: one, before }));
  };
  return {
    sidecarSet,
    initContainers: inits.flatMap((sidecar) => build(sidecar, isNative(sidecar) && isHot(sidecar))),
    containers: sidecars.flatMap((sidecar) => build(sidecar, isHot(sidecar))),
    pairs: hotBaseNames(sidecarSet),
    volumes: wantedVolumes(sidecarSet),
    warnings,
  };
}

function evaluateResources(
  policy: ResourcesPolicy,
  targets: readonly Container[],
  { metadata }: SidecarSet,
  where: string,
): NonNullable<Container["resources"]> {
  try {
    return resourcesOf(policy, targets);
  } catch (error) {
    if (!(error instanceof ResourcesPolicyError)) throw error;
    throw new InjectionDenied(metadata.name ?? "", error.reason, `${where}: ${error.message}`);
  }
}

function buildContainer(
  sidecar: SidecarContainer,
  { pod, appContainers, shared }: Sources,
): { container: Container; missing: string[] } {
  const container = { ...templateOf(sidecar) };
  const mounts = mountsOf(sidecar, shared);
  const transferred = transferredEnv(sidecar.transferEnv ?? [], pod, appContainers);
  container.env = appendEnv(appendEnv(container.env ?? [], transferred.env), mounts.env);
  if (mounts.volumeMounts.length > 0) container.volumeMounts = mounts.volumeMounts;
  if (mounts.volumeDevices.length > 0) container.volumeDevices = mounts.volumeDevices;
  return { container, missing: transferred.missing };
}

/** The container without what only injection reads, marked as injected. */
const templateOf = oncePer((sidecar: SidecarContainer): Container => {
  const {
    podInjectPolicy: _podInjectPolicy,
    upgradeStrategy: _upgradeStrategy,
    shareVolumePolicy: _shareVolumePolicy,
    shareVolumeDevicePolicy: _shareVolumeDevicePolicy,
    transferEnv: _transferEnv,
    resourcesPolicy: _resourcesPolicy,
    ...container
  } = sidecar;
  // A sidecar's own IS_INJECTED stays and ours follows: of two env with one name, the later one counts.
  return { ...container, env: [...(container.env ?? []), { name: INJECTED_ENV, value: "true" }] };
});

/** The names that a SidecarSet's containers have in a pod: both names of a hot pair. */
export const containerNames = oncePer((sidecarSet: SidecarSet): string[] => {
  const pairs = new Set(hotBaseNames(sidecarSet));
  return sidecarsOf(sidecarSet).flatMap(({ name }) => (pairs.has(name) ? pairNames(name) : [name]));
});

/** The names of a SidecarSet's containers, in the pod and in the SidecarSet. */
export const allNames = oncePer((sidecarSet: SidecarSet): string[] => {
  return [...containerNames(sidecarSet), ...sidecarsOf(sidecarSet).map(({ name }) => name)];
});

const hotBaseNames = oncePer(({ spec }: SidecarSet): string[] => {
  const inits = (spec.initContainers ?? []).filter((container) => isNative(container));
  return [...inits, ...(spec.containers ?? [])].filter(isHot).map((container) => container.name);
});

function sidecarsOf({ spec }: SidecarSet): SidecarContainer[] {
  return [...(spec.initContainers ?? []), ...(spec.containers ?? [])];
}

function isHot(sidecar: SidecarContainer): boolean {
  return sidecar.upgradeStrategy?.upgradeType === "HotUpgrade";
}

function isNative(sidecar: SidecarContainer): boolean {
  return sidecar.restartPolicy === "Always";
}
