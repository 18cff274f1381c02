// SPDX-License-Identifier: Apache-2.0
import type { Container, EnvVar, SidecarContainer, SidecarSet, Volume, VolumeDevice, VolumeMount } from "@hot/spec";
import { isInjected, subPathEnv } from "./env.ts";
import { oncePer } from "./once-per.ts";

export interface Mounts {
  volumeMounts: VolumeMount[];
  volumeDevices: VolumeDevice[];
  /** What the `subPathExpr` of the app containers' mounts needs, of those too whose path was taken (as Kruise does). */
  env: EnvVar[];
}

/**
 * The sidecar's own mounts and devices, then those shared from the app containers in their order. A path that is taken
 * stays as it is: own before shared, the first app container before later ones, mounts before devices.
 */
export function mountsOf(sidecar: SidecarContainer, appContainers: readonly Container[]): Mounts {
  const sources = appContainers.filter((container) => !isInjected(container));
  const volumeMounts = [...(sidecar.volumeMounts ?? [])];
  const volumeDevices = [...(sidecar.volumeDevices ?? [])];
  const paths = new Set([...volumeMounts.map((m) => m.mountPath), ...volumeDevices.map((d) => d.devicePath)]);
  const env: EnvVar[] = [];
  if (sidecar.shareVolumePolicy?.type === "enabled") {
    for (const source of sources) {
      for (const one of subPathEnv(source)) env.push(one);
      for (const mount of source.volumeMounts ?? []) {
        if (paths.has(mount.mountPath)) continue;
        paths.add(mount.mountPath);
        volumeMounts.push(mount);
      }
    }
  }
  if (sidecar.shareVolumeDevicePolicy?.type === "enabled") {
    for (const device of sources.flatMap((source) => source.volumeDevices ?? [])) {
      if (paths.has(device.devicePath)) continue;
      paths.add(device.devicePath);
      volumeDevices.push(device);
    }
  }
  return { volumeMounts, volumeDevices, env };
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
