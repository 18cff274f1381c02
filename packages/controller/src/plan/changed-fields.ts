// SPDX-License-Identifier: Apache-2.0
import { pairNames, type Container, type SidecarSet } from "@hot/spec";
import { printOf, settings } from "./fingerprint.ts";
import { isHot } from "./hot-pair.ts";
import type { PodProjection } from "./pod-projection.ts";

/** Not in a pod's container, or changed in place, or the name of the container itself. */
const ASIDE = ["name", "image", "podInjectPolicy", "upgradeStrategy", "shareVolumePolicy", "shareVolumeDevicePolicy"];
const NOT_COMPARED = new Set([...ASIDE, "transferEnv", "resourcesPolicy"]);
/** What no API server adds by itself, so that it was removed from the SidecarSet if only the pod has it. */
const PROBES = ["livenessProbe", "readinessProbe", "startupProbe"];
const NEVER_DEFAULTED = ["command", "args", "workingDir", "ports", "envFrom", "lifecycle", ...PROBES];

/**
 * The fields that make a pod not upgradable, as far as pod and SidecarSet tell: `env, resources of sidecar changed;
 * recreate the pod to apply them`. Only values that the SidecarSet sets are looked for, so what an API server or another
 * webhook has added is never named. Empty: not known.
 */
export function changedFields(pod: PodProjection, sidecarSet: SidecarSet): string {
  const texts = (sidecarSet.spec.containers ?? []).flatMap((container) => {
    const name = isHot(container) ? pairNames(container.name)[0] : container.name;
    const prints = pod.containers.find((one) => one.name === name)?.prints;
    const fields = prints === undefined ? [] : fieldsOf(new Set(prints), container);
    return fields.length === 0 ? [] : `${fields.join(", ")} of ${container.name}`;
  });
  return texts.length === 0 ? "" : `${texts.join("; ")} changed; recreate the pod to apply them`;
}

function fieldsOf(has: ReadonlySet<number>, container: Container): string[] {
  const wanted = settings(container).filter(({ field }) => !NOT_COMPARED.has(field));
  const missing = wanted.filter(({ print }) => !has.has(print)).map(({ field }) => field);
  const set = new Set(wanted.map(({ field }) => field));
  const removed = NEVER_DEFAULTED.filter((field) => !set.has(field) && has.has(printOf(field)));
  const fields = [...new Set([...missing, ...removed])].sort();
  // An admission plugin may have set it, so it is named only where nothing else is.
  const others = fields.filter((field) => field !== "imagePullPolicy");
  return others.length > 0 ? others : fields;
}
