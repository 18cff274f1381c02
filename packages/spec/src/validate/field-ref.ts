// SPDX-License-Identifier: Apache-2.0
import type { EnvVarSource } from "../container.ts";
import { invalid, notSupported, required, type FieldErrors } from "../field-error.ts";
import { qualifiedNameProblem } from "../label-name.ts";
import { formatQuantity, parseQuantity } from "../quantity.ts";

const IDENTITY = ["metadata.name", "metadata.namespace", "metadata.uid"];
const STATUS = ["status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"];
/** Fields of the pod that are readable as env, and those that are readable as files. */
const READABLE = {
  env: [...IDENTITY, "spec.nodeName", "spec.serviceAccountName", ...STATUS],
  file: [...IDENTITY, "metadata.labels", "metadata.annotations"],
};
/** Known to Kubernetes as fields, though not readable in each place. */
const KNOWN = new Set([...READABLE.env, ...READABLE.file, "spec.restartPolicy", "spec.schedulerName", "status.phase"]);
const SUBSCRIPT = /^metadata\.(labels|annotations)\['(.*)'\]$/;
const RESOURCE = /^(?:limits|requests)\.(cpu|memory|ephemeral-storage|hugepages-.*)$/;
const DIVISORS = {
  cpu: new Set(["0", "1", "1m"]),
  other: new Set(["0", "1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"]),
};

type FieldRef = NonNullable<EnvVarSource["fieldRef"]>;
type ResourceFieldRef = NonNullable<EnvVarSource["resourceFieldRef"]>;

export function* validateFieldRef(
  { apiVersion, fieldPath }: Partial<FieldRef>,
  place: keyof typeof READABLE,
  at: string,
): FieldErrors {
  if (!apiVersion) yield required(`${at}.apiVersion`);
  else if (apiVersion !== "v1") yield invalid(`${at}.apiVersion`, apiVersion, "It must be v1.");
  if (!fieldPath) {
    yield required(`${at}.fieldPath`);
    return;
  }
  const [, map, key = ""] = SUBSCRIPT.exec(fieldPath) ?? [];
  if (map !== undefined) {
    const problem = qualifiedNameProblem(map === "annotations" ? key.toLowerCase() : key);
    if (problem !== undefined) yield invalid(at, key, `The key ${problem}.`);
  } else if (!KNOWN.has(fieldPath)) {
    yield invalid(`${at}.fieldPath`, fieldPath, "Kubernetes has no such field.");
  } else if (!READABLE[place].includes(fieldPath)) {
    yield notSupported(`${at}.fieldPath`, fieldPath, READABLE[place]);
  }
}

export function* validateResourceFieldRef({ resource, divisor }: Partial<ResourceFieldRef>, at: string): FieldErrors {
  if (!resource) {
    yield required(`${at}.resource`);
    return;
  }
  const [, name] = RESOURCE.exec(resource) ?? [];
  if (name === undefined) {
    yield notSupported(`${at}.resource`, resource, ["limits.RESOURCE", "requests.RESOURCE"]);
    return;
  }
  const parsed = divisor === undefined ? undefined : parseQuantity(divisor);
  const supported = name === "cpu" ? DIVISORS.cpu : DIVISORS.other;
  if (parsed && !supported.has(formatQuantity(parsed)))
    yield invalid(`${at}.divisor`, divisor, `It must be one of ${[...supported].slice(1).join(", ")}.`);
}
