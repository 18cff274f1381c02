// SPDX-License-Identifier: Apache-2.0
import {
  HASH_ANNOTATION,
  HASH_WITHOUT_IMAGE_ANNOTATION,
  INJECTED_LIST_ANNOTATION,
  parseObject,
  WORKING_ANNOTATION,
  type Pod,
} from "@hot/spec";

const JSON_ANNOTATIONS = [HASH_ANNOTATION, HASH_WITHOUT_IMAGE_ANNOTATION, WORKING_ANNOTATION];

/** One pod out of those that each SidecarSet alone would have made of it. */
export function injectedByAll([first, ...others]: readonly Pod[]): Pod {
  if (first === undefined) throw new Error("no SidecarSet injects the pod");
  return others.reduce(both, first);
}

function both(pod: Pod, other: Pod): Pod {
  const has = new Set(pod.spec.containers.map(({ name }) => name));
  const [own, more] = [pod.metadata.annotations ?? {}, other.metadata.annotations ?? {}];
  const joined = JSON_ANNOTATIONS.map((key) => [
    key,
    JSON.stringify({ ...parseObject(own[key]), ...parseObject(more[key]) }),
  ]);
  const names = [own[INJECTED_LIST_ANNOTATION], more[INJECTED_LIST_ANNOTATION]].join(",");
  const annotations = { ...own, ...more, ...Object.fromEntries(joined), [INJECTED_LIST_ANNOTATION]: names };
  const statuses = other.status?.containerStatuses?.filter(({ name }) => !has.has(name)) ?? [];
  return {
    ...pod,
    metadata: { ...pod.metadata, annotations },
    spec: {
      ...pod.spec,
      containers: [...pod.spec.containers, ...other.spec.containers.filter(({ name }) => !has.has(name))],
    },
    status: { ...pod.status, containerStatuses: [...(pod.status?.containerStatuses ?? []), ...statuses] },
  };
}
