// SPDX-License-Identifier: Apache-2.0
import type { Container, Pod, VolumeMount } from "@hot/spec";

/** Where the API server mounts the token of a pod's service account, and how it names the volume. */
const PATH = "/var/run/secrets/kubernetes.io/serviceaccount";
const VOLUME_PREFIX = "kube-api-access-";

/**
 * Gives the injected containers the token of the pod's service account as all other containers have it from the API
 * server. It would add the very same mount itself after the injection, and because of that change ask about the pod a
 * second time. In doubt nothing is added: then it still does, and asks.
 *
 * @param asked the pod as it was sent
 */
export function withTokenMount(asked: Pod, injected: Pod): Pod {
  const mount = tokenMount(asked);
  if (mount === undefined) return injected;
  const { initContainers, containers } = injected.spec;
  if (allOf(injected).every(hasToken)) return injected;
  const complete = (one: Container): Container =>
    hasToken(one) ? one : { ...one, volumeMounts: [...(one.volumeMounts ?? []), mount] };
  const spec = { ...injected.spec, containers: containers.map(complete) };
  return {
    ...injected,
    spec: initContainers === undefined ? spec : { ...spec, initContainers: initContainers.map(complete) },
  };
}

/**
 * The mount that the API server has added to the pod. It leaves no container without one; a pod where one lacks it has
 * a volume of such a name for another reason, or an account whose token is not mounted.
 */
function tokenMount(pod: Pod): VolumeMount | undefined {
  if (pod.spec["automountServiceAccountToken"] === false) return undefined;
  const volume = pod.spec.volumes?.find(({ name }) => name.startsWith(VOLUME_PREFIX));
  const all = allOf(pod);
  if (volume === undefined || !all.every(hasToken)) return undefined;
  const mount = { name: volume.name, readOnly: true, mountPath: PATH };
  const isSame = (one: VolumeMount): boolean =>
    one.name === mount.name && one.mountPath === PATH && one.readOnly === true && one.subPath === undefined;
  return all.some(({ volumeMounts = [] }) => volumeMounts.some(isSame)) ? mount : undefined;
}

function allOf({ spec }: Pod): Container[] {
  return [...(spec.initContainers ?? []), ...spec.containers];
}

function hasToken({ volumeMounts = [] }: Container): boolean {
  return volumeMounts.some(({ mountPath }) => mountPath === PATH);
}
