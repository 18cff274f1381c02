// SPDX-License-Identifier: Apache-2.0
import type { Container, Volume, VolumeDevice, VolumeMount } from "../container.ts";
import { fieldError, invalid, notSupported, required, type FieldErrors } from "../field-error.ts";

const PROPAGATIONS = ["None", "HostToContainer", "Bidirectional"];
const RECURSIVE = ["Disabled", "IfPossible", "Enabled"];

/** Mounts and devices; both name volumes of the SidecarSet. */
export function* validateMounts(container: Container, volumes: ReadonlyMap<string, Volume>, path: string): FieldErrors {
  const paths = new Set<string>();
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const at = `${path}.volumeMounts[${index}]`;
    yield* validateVolumeName(mount.name, volumes, at);
    if (!mount.mountPath) yield required(`${at}.mountPath`);
    else if (paths.has(mount.mountPath))
      yield invalid(`${at}.mountPath`, mount.mountPath, "Another mount has this path.");
    paths.add(mount.mountPath);
    yield* validateMount(mount, container, at);
  }
  const mounted = new Set((container.volumeMounts ?? []).map((mount) => mount.name));
  for (const [index, device] of (container.volumeDevices ?? []).entries()) {
    const at = `${path}.volumeDevices[${index}]`;
    yield* validateVolumeName(device.name, volumes, at);
    const isSecond = mounted.has(device.name);
    if (isSecond) yield invalid(`${at}.name`, device.name, "A volume can be mounted or used as a device once.");
    mounted.add(device.name);
    yield* validateDevice(device, volumes.get(device.name), paths, at);
    paths.add(device.devicePath);
  }
}

/** Only a claim can be a block device. */
const BLOCK_SOURCES = ["persistentVolumeClaim", "ephemeral"];

function* validateDevice(
  { name, devicePath }: VolumeDevice,
  volume: Volume | undefined,
  paths: ReadonlySet<string>,
  at: string,
): FieldErrors {
  if (volume && !BLOCK_SOURCES.some((source) => Object.hasOwn(volume, source)))
    yield invalid(`${at}.name`, name, "A device needs a volume of kind persistentVolumeClaim or ephemeral.");
  if (!devicePath) yield required(`${at}.devicePath`);
  else if (paths.has(devicePath)) yield invalid(`${at}.devicePath`, devicePath, "Another mount has this path.");
  else if (devicePath.split("/").includes(".."))
    yield invalid(`${at}.devicePath`, devicePath, "It must not contain '..'.");
}

function* validateVolumeName(name: string, volumes: ReadonlyMap<string, Volume>, at: string): FieldErrors {
  if (!name) yield required(`${at}.name`);
  else if (!volumes.has(name)) yield fieldError("VolumeNotFound", "FieldValueNotFound", `${at}.name`, name);
}

function* validateMount(mount: VolumeMount, container: Container, at: string): FieldErrors {
  const { subPath, subPathExpr, mountPropagation, recursiveReadOnly, readOnly } = mount;
  if (subPath && subPathExpr) yield invalid(`${at}.subPathExpr`, subPathExpr, "It can't be set beside subPath.");
  for (const [name, value] of Object.entries({ subPath, subPathExpr })) {
    if (value?.startsWith("/")) yield invalid(`${at}.${name}`, value, "It must be a relative path.");
    if (value?.split("/").includes("..")) yield invalid(`${at}.${name}`, value, "It must not contain '..'.");
  }
  if (mountPropagation !== undefined && !PROPAGATIONS.includes(mountPropagation))
    yield notSupported(`${at}.mountPropagation`, mountPropagation, PROPAGATIONS);
  if (mountPropagation === "Bidirectional" && container.securityContext?.["privileged"] !== true)
    yield invalid(`${at}.mountPropagation`, mountPropagation, "It is only available to privileged containers.");
  if (recursiveReadOnly !== undefined && !RECURSIVE.includes(recursiveReadOnly))
    yield notSupported(`${at}.recursiveReadOnly`, recursiveReadOnly, RECURSIVE);
  else if (recursiveReadOnly !== undefined && recursiveReadOnly !== "Disabled" && !readOnly)
    yield invalid(`${at}.recursiveReadOnly`, recursiveReadOnly, "It needs readOnly: true.");
  if (recursiveReadOnly && recursiveReadOnly !== "Disabled" && mountPropagation && mountPropagation !== "None")
    yield invalid(`${at}.recursiveReadOnly`, recursiveReadOnly, "It needs mountPropagation None.");
}
