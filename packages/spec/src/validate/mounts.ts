// SPDX-License-Identifier: Apache-2.0
import type { Container, VolumeMount } from "../container.ts";
import { fieldError, invalid, notSupported, required, type FieldErrors } from "../field-error.ts";

const PROPAGATIONS = ["None", "HostToContainer", "Bidirectional"];
const RECURSIVE = ["Disabled", "IfPossible", "Enabled"];

/** Mounts and devices; both name volumes of the SidecarSet. */
export function* validateMounts(container: Container, volumes: ReadonlySet<string>, path: string): FieldErrors {
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
  for (const [index, device] of (container.volumeDevices ?? []).entries()) {
    const at = `${path}.volumeDevices[${index}]`;
    yield* validateVolumeName(device.name, volumes, at);
    if (!device.devicePath) yield required(`${at}.devicePath`);
    else if (paths.has(device.devicePath))
      yield invalid(`${at}.devicePath`, device.devicePath, "Another mount has this path.");
    paths.add(device.devicePath);
  }
}

function* validateVolumeName(name: string, volumes: ReadonlySet<string>, at: string): FieldErrors {
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
}
