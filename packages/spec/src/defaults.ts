// SPDX-License-Identifier: Apache-2.0
import { sidecarContainerSchema } from "./core-schema.ts";
import { defaultContainer, moveEmptyImage } from "./defaults/container.ts";
import { ensureRaw, isRaw, rawEntries, rawItems, setDefault, type Raw } from "./defaults/raw.ts";
import { defaultVolume } from "./defaults/volume.ts";
import { MAX_FINDINGS, extentProblem } from "./extent.ts";
import { UnhashableError, sidecarSetHashes } from "./hash.ts";
import { warningLine } from "./warning-line.ts";
import { HASH_ANNOTATION, HASH_WITHOUT_IMAGE_ANNOTATION } from "./names.ts";
import { checkAgainstSchema } from "./schema-check.ts";
import { specSchema } from "./sidecar-set-schema.ts";
import type { SidecarSet, SidecarSetV1Alpha1 } from "./sidecar-set.ts";

export interface Versions {
  v1alpha1: SidecarSetV1Alpha1;
  v1beta1: SidecarSet;
}

/** What defaulting makes of an object; the warnings are for the admission response. */
export interface Defaulted<V extends keyof Versions = keyof Versions> {
  object: Versions[V];
  warnings: string[];
}

/**
 * The defaults of a SidecarSet as Kruise's webhook sets them, in the version of the request, and both hash
 * annotations computed afresh, whatever the client sent. The input is not changed. Fields that are not known stay.
 *
 * Malformed parts are left as they are, and then there are no hashes: validation refuses the object and names
 * every fault at once. An object beyond every measure, which validation refuses too, is returned as it is.
 */
export function defaultSidecarSet<V extends keyof Versions>(raw: unknown, version: V): Defaulted<V> {
  if (extentProblem(raw)) return { object: raw as Versions[V], warnings: [] };
  const object: Raw = isRaw(raw) ? structuredClone(raw) : {};
  const warnings: string[] = [];
  object["apiVersion"] ??= `apps.kruise.io/${version}`;
  object["kind"] ??= "SidecarSet";
  const metadata = ensureRaw(object, "metadata");
  const spec = ensureRaw(object, "spec");
  if (spec) {
    warnings.push(...unknownSpecFields(spec, version));
    defaultSpec(spec, warnings);
  }
  if (metadata && spec) setHashes(object as unknown as SidecarSet, metadata);
  return { object: object as unknown as Versions[V], warnings: warnings.slice(0, MAX_FINDINGS) };
}

function defaultSpec(spec: Raw, warnings: string[]): void {
  const update = ensureRaw(spec, "updateStrategy");
  if (update) {
    setDefault(update, "type", "RollingUpdate");
    update["partition"] ??= 0;
    update["maxUnavailable"] ??= 1;
  }
  const { injectionStrategy } = spec;
  if (isRaw(injectionStrategy) && isRaw(injectionStrategy["revision"]))
    setDefault(injectionStrategy["revision"], "policy", "Always");
  spec["revisionHistoryLimit"] ??= 10;
  for (const patch of rawItems(spec["patchPodMetadata"])) setDefault(patch, "patchPolicy", "Retain");
  defaultContainers(spec, "initContainers", "AfterAppContainer", warnings);
  defaultContainers(spec, "containers", "BeforeAppContainer", warnings);
  for (const [index, volume] of rawEntries(spec["volumes"]))
    for (const line of defaultVolume(volume, `spec.volumes[${index}]`)) warnings.push(line);
}

function defaultContainers(spec: Raw, list: string, injectPolicy: string, warnings: string[]): void {
  for (const [index, container] of rawEntries(spec[list])) {
    const path = `spec.${list}[${index}]`;
    warnings.push(...moveEmptyImage(container, path));
    defaultContainer(container, injectPolicy);
    if (warnings.length < MAX_FINDINGS) warnings.push(...unknownFieldWarnings(container, path));
  }
}

/** Those of the spec itself; the elements of its lists of containers and volumes are judged one by one. */
function unknownSpecFields(spec: Raw, version: keyof Versions): string[] {
  const own = Object.entries(spec).filter(([name]) => !ELEMENTWISE.has(name));
  return unknownFieldWarnings(Object.fromEntries(own), "spec", specSchema(version));
}

const ELEMENTWISE = new Set(["containers", "initContainers", "volumes"]);

function unknownFieldWarnings(value: Raw, path: string, schema = sidecarContainerSchema): string[] {
  return checkAgainstSchema(schema, value, path).unknown.map(({ path: at, field, nearest }) =>
    warningLine("UnknownField", `${at}.${field}`, nearest === undefined ? undefined : `Did you mean ${nearest}?`),
  );
}

function setHashes(sidecarSet: SidecarSet, metadata: Raw): void {
  const annotations = ensureRaw(metadata, "annotations");
  if (!annotations) return;
  try {
    const { hash, hashWithoutImage } = sidecarSetHashes(sidecarSet);
    annotations[HASH_ANNOTATION] = hash;
    annotations[HASH_WITHOUT_IMAGE_ANNOTATION] = hashWithoutImage;
  } catch (error) {
    if (!(error instanceof UnhashableError)) throw error;
  }
}
