// SPDX-License-Identifier: Apache-2.0
import type { Volume } from "../container.ts";
import { isRaw, rawEntries, type Raw } from "../defaults/raw.ts";
import { VOLUME_SOURCES } from "../defaults/volume.ts";
import { duplicate, forbidden, invalid, notSupported, required, type FieldErrors } from "../field-error.ts";
import { dnsLabelProblem } from "../label-name.ts";
import { parseQuantity } from "../quantity.ts";
import { validateFieldRef, validateResourceFieldRef } from "./field-ref.ts";

const MAX_MODE = 0o777;
const MIN_TOKEN_SECONDS = 600;
const MAX_TOKEN_SECONDS = 2 ** 32;
const HOST_PATH_TYPES = "|DirectoryOrCreate|Directory|FileOrCreate|File|Socket|CharDevice|BlockDevice".split("|");
/** Members without which Kubernetes refuses a source. */
const REQUIRED_MEMBERS: Record<string, readonly string[]> = {
  hostPath: ["path"],
  secret: ["secretName"],
  configMap: ["name"],
  nfs: ["server", "path"],
  persistentVolumeClaim: ["claimName"],
  csi: ["driver"],
  flexVolume: ["driver"],
  iscsi: ["targetPortal", "iqn"],
  ephemeral: ["volumeClaimTemplate"],
  azureFile: ["secretName", "shareName"],
  azureDisk: ["diskName", "diskURI"],
  gitRepo: ["repository"],
};
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
      if (isRaw(volume[source])) yield* validateSource(source, volume[source], `${path}.${source}`);
  }
}

function rank(source: string): number {
  const index = ORDER.indexOf(source);
  return index < 0 ? ORDER.length : index;
}

function* validateSource(name: string, source: Raw, path: string): FieldErrors {
  for (const member of REQUIRED_MEMBERS[name] ?? [])
    if (source[member] === undefined || source[member] === "") yield required(`${path}.${member}`);
  if (name === "hostPath" && typeof source["path"] === "string" && source["path"].split("/").includes(".."))
    yield invalid(`${path}.path`, source["path"], "It must not contain '..'.");
  const limit = source["sizeLimit"];
  const quantity = typeof limit === "string" || typeof limit === "number" ? parseQuantity(limit) : undefined;
  if (limit !== undefined && (!quantity || quantity.mantissa < 0n))
    yield invalid(`${path}.sizeLimit`, limit, "It must be a quantity of at least 0.");
  const mode = source["defaultMode"];
  if (mode !== undefined && !(Number.isInteger(mode) && (mode as number) >= 0 && (mode as number) <= MAX_MODE))
    yield invalid(`${path}.defaultMode`, mode, "It must be from 0 to 0777.");
  const hostType = name === "hostPath" ? source["type"] : undefined;
  if (typeof hostType === "string" && !HOST_PATH_TYPES.includes(hostType))
    yield notSupported(`${path}.type`, hostType, HOST_PATH_TYPES.slice(1));
  if (["secret", "configMap", "downwardAPI"].includes(name)) yield* validateItems(name, source["items"], path);
  if (name === "projected") yield* validateProjected(source["sources"], path);
}

function* validateItems(name: string, items: unknown, path: string): FieldErrors {
  for (const [index, item] of rawEntries(items)) {
    const at = `${path}.items[${index}]`;
    const { path: file, key } = item;
    if (typeof file !== "string" || file === "") yield required(`${at}.path`);
    else if (file.startsWith("/") || file.split("/").includes(".."))
      yield invalid(`${at}.path`, file, "It must be a relative path without '..'.");
    if (name !== "downwardAPI") {
      if (typeof key !== "string" || key === "") yield required(`${at}.key`);
      continue;
    }
    const { fieldRef, resourceFieldRef } = item;
    if (isRaw(fieldRef)) yield* validateFieldRef(fieldRef, "file", `${at}.fieldRef`);
    else if (!isRaw(resourceFieldRef)) yield required(`${at}.fieldRef`);
    else if (!resourceFieldRef["containerName"]) yield required(`${at}.resourceFieldRef.containerName`);
    else yield* validateResourceFieldRef(resourceFieldRef, `${at}.resourceFieldRef`);
  }
}

function* validateProjected(sources: unknown, path: string): FieldErrors {
  for (const [index, source] of rawEntries(sources)) {
    for (const [name, projection] of Object.entries(source)) {
      if (!isRaw(projection)) continue;
      const at = `${path}.sources[${index}].${name}`;
      if ((name === "secret" || name === "configMap") && !projection["name"]) yield required(`${at}.name`);
      if (["secret", "configMap", "downwardAPI"].includes(name)) yield* validateItems(name, projection["items"], at);
      if (name !== "serviceAccountToken") continue;
      const { expirationSeconds: seconds, path: file } = projection;
      if (!file) yield required(`${at}.path`);
      if (typeof seconds === "number" && (seconds < MIN_TOKEN_SECONDS || seconds > MAX_TOKEN_SECONDS))
        yield invalid(
          `${at}.expirationSeconds`,
          seconds,
          `It must be from ${MIN_TOKEN_SECONDS} to ${MAX_TOKEN_SECONDS}.`,
        );
    }
  }
}
