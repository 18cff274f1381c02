// SPDX-License-Identifier: Apache-2.0
import type { Container, EnvVar, SidecarContainer, SidecarSet, Volume, VolumeDevice, VolumeMount } from "@hot/spec";
import { isInjected, subPathEnv, uniqueEnv } from "./env.ts";
import { oncePer } from "./once-per.ts";
import { InjectionDenied } from "./report.ts";

export interface Mounts {
  volumeMounts: VolumeMount[];
  volumeDevices: VolumeDevice[];
  /** What the `subPathExpr` of the app containers' mounts needs, of those too whose path was taken (as Kruise does). */
  env: EnvVar[];
}

/** What a pod's app containers can share: of each path the first. */
export interface Shareable extends Mounts {
  byPath: ReadonlyMap<string, VolumeMount>;
}

/** Ten for each of the most containers. Linux refuses more than 100,000 in one container. */
const MAX_SHARED = 10_000;

/** Computed when a sidecar first asks, and once for all sidecars of an injection. */
export function lazilyShareable(appContainers: readonly Container[]): () => Shareable {
  let known: Shareable | undefined;
  return () => (known ??= shareable(appContainers.filter((container) => !isInjected(container))));
}

/** @throws {InjectionDenied} when there are far more than a container could have */
function shareable(sources: readonly Container[]): Shareable {
  let count = 0;
  for (const { volumeMounts = [], volumeDevices = [] } of sources) count += volumeMounts.length + volumeDevices.length;
  if (count > MAX_SHARED) {
    const sentence = `pod.spec.containers has more than ${MAX_SHARED} volumeMounts and volumeDevices to share with sidecars`;
    throw new InjectionDenied("", "PodMalformed", sentence);
  }
  const mounts = new Map<string, VolumeMount>();
  const devices = new Map<string, VolumeDevice>();
  const env = sources.map((source) => subPathEnv(source)).filter((list) => list.length > 0);
  for (const { volumeMounts = [], volumeDevices = [] } of sources) {
    for (const one of volumeMounts) if (!mounts.has(one.mountPath)) mounts.set(one.mountPath, one);
    for (const one of volumeDevices) if (!devices.has(one.devicePath)) devices.set(one.devicePath, one);
  }
  return {
    volumeMounts: [...mounts.values()],
    volumeDevices: [...devices.values()],
    env: env.length > 1 ? uniqueEnv(env.flat()) : env.flat(),
    byPath: mounts,
  };
}

/**
 * The sidecar's own mounts and devices, then those shared from the app containers in their order. A path that is taken
 * stays as it is: own before shared, the first app container before later ones, mounts before devices.
 */
export function mountsOf(sidecar: SidecarContainer, shared: () => Shareable): Mounts {
  const { volumeMounts = [], volumeDevices = [] } = sidecar;
  const own = new Set([...volumeMounts.map((m) => m.mountPath), ...volumeDevices.map((d) => d.devicePath)]);
  const sharesMounts = sidecar.shareVolumePolicy?.type === "enabled";
  const mounts = sharesMounts ? shared().volumeMounts.filter((one) => !own.has(one.mountPath)) : [];
  const isTaken = (path: string): boolean => own.has(path) || (sharesMounts && shared().byPath.has(path));
  const sharesDevices = sidecar.shareVolumeDevicePolicy?.type === "enabled";
  const devices = sharesDevices ? shared().volumeDevices.filter((one) => !isTaken(one.devicePath)) : [];
  return {
    volumeMounts: [...volumeMounts, ...mounts],
    volumeDevices: [...volumeDevices, ...devices],
    env: sharesMounts ? shared().env : [],
  };
}

export interface WantedVolumes {
  /** In the order of first use. */
  volumes: Volume[];
  /** Names that the SidecarSet does not define; the pod may. */
  unknown: string[];
}

/** The SidecarSet's volumes that its containers refer to; of several with one name the last definition counts. */
export const wantedVolumes = oncePer(({ spec }: SidecarSet): WantedVolumes => {
  const defined = new Map((spec.volumes ?? []).map((volume) => [volume.name, volume]));
  const names = new Set(
    [...(spec.initContainers ?? []), ...(spec.containers ?? [])].flatMap((sidecar) =>
      [...(sidecar.volumeMounts ?? []), ...(sidecar.volumeDevices ?? [])].map((m) => m.name),
    ),
  );
  const result: WantedVolumes = { volumes: [], unknown: [] };
  for (const name of names) {
    const volume = defined.get(name);
    if (volume === undefined) result.unknown.push(name);
    else result.volumes.push(volume);
  }
  return result;
});
