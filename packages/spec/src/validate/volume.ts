// SPDX-License-Identifier: Apache-2.0
import type { Volume } from "../container.ts";
import { isRaw } from "../defaults/raw.ts";
import { VOLUME_SOURCES } from "../defaults/volume.ts";
import { duplicate, forbidden, invalid, required, type FieldErrors } from "../field-error.ts";
import { dnsLabelProblem } from "../label-name.ts";
import { validateVolumeSource } from "./volume-source.ts";

/** Where Kubernetes meets an emptyDir first and then refuses the other source, whatever their order in the object. */
const ORDER = ["emptyDir", "hostPath"];

export function* validateVolumes(volumes: readonly Volume[]): FieldErrors {
  const names = new Set<string>();
  for (const [index, volume] of volumes.entries()) {
    const path = `spec.volumes[${index}]`;
    const problem = volume.name ? dnsLabelProblem(volume.name) : undefined;
    if (!volume.name) yield required(`${path}.name`);
    else if (problem !== undefined) yield invalid(`${path}.name`, volume.name, `It ${problem}.`);
    if (names.has(volume.name)) yield duplicate(`${path}.name`, volume.name);
    names.add(volume.name);
    const sources = Object.keys(volume).filter((key) => VOLUME_SOURCES.has(key));
    sources.sort((a, b) => rank(a) - rank(b));
    if (sources.length === 0)
      yield required(path, "The volume has no source.", "Set one source, such as emptyDir: {}.");
    for (const extra of sources.slice(1))
      yield forbidden(`${path}.${extra}`, volume[extra], `A volume has one source, and ${sources[0]} is set.`);
    for (const source of sources)
      if (isRaw(volume[source])) yield* validateVolumeSource(source, volume[source], `${path}.${source}`);
  }
}

function rank(source: string): number {
  const index = ORDER.indexOf(source);
  return index < 0 ? ORDER.length : index;
}
