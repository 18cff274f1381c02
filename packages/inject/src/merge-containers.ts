// SPDX-License-Identifier: Apache-2.0
import type { Container } from "@hot/spec";
import type { BuiltContainer } from "./build-sidecars.ts";
import { appendEnv, isInjected, uniqueEnv } from "./env.ts";
import { InjectionDenied } from "./report.ts";

/**
 * Refuses names that are taken: by a container that was not injected, by a container of the other list (init or not),
 * or by two sidecars at once. A container that is not ours is never replaced.
 */
export function checkNames(
  wanted: readonly BuiltContainer[],
  present: readonly Container[],
  otherList: readonly Container[],
  taken: Map<string, string>,
): void {
  for (const { sidecarSet, container } of wanted) {
    const { name } = container;
    const other = taken.get(name);
    const collides =
      other !== undefined
        ? `SidecarSet ${other} injects a container of this name too`
        : present.some((one) => one.name === name && !isInjected(one)) || otherList.some((one) => one.name === name)
          ? "the pod has a container of this name which was not injected"
          : undefined;
    if (collides !== undefined) {
      throw new InjectionDenied(
        sidecarSet,
        "NameCollision",
        `SidecarSet ${sidecarSet}, container ${name}: ${collides}`,
      );
    }
    taken.set(name, sidecarSet);
  }
}

/**
 * The pod's containers with the sidecars: one that is there already is replaced in its place, the others go to the front
 * or to the back, in order.
 */
export function mergeContainers(present: readonly Container[], wanted: readonly BuiltContainer[]): Container[] {
  const byName = new Map(wanted.map((built) => [built.container.name, built.container]));
  const kept = present.map((container) => byName.get(container.name) ?? container);
  const fresh = wanted.filter((built) => !present.some((container) => container.name === built.container.name));
  return [
    ...fresh.filter((built) => built.before).map((built) => built.container),
    ...kept,
    ...fresh.filter((built) => !built.before).map((built) => built.container),
  ];
}

/**
 * A container that the same injection has put into the pod already: everything on it stays, what other webhooks have
 * changed since included, and only env, mounts and devices that are not there yet are added.
 */
export function completeContainer(present: Container, wanted: Container): Container {
  const env = appendEnv(present.env ?? [], uniqueEnv(wanted.env ?? []));
  const volumeMounts = appendNew(present.volumeMounts, wanted.volumeMounts, (mount) => mount.mountPath);
  const volumeDevices = appendNew(present.volumeDevices, wanted.volumeDevices, (device) => device.devicePath);
  return {
    ...present,
    env,
    ...(volumeMounts.length > 0 && { volumeMounts }),
    ...(volumeDevices.length > 0 && { volumeDevices }),
  };
}

function appendNew<T>(present: readonly T[] = [], wanted: readonly T[] = [], key: (item: T) => string): T[] {
  const keys = new Set(present.map(key));
  return [...present, ...wanted.filter((item) => !keys.has(key(item)))];
}
