// SPDX-License-Identifier: Apache-2.0
import { shown } from "./report.ts";

/** A check of one value: says where in it what is wrong, as `.name is no string`, or nothing. */
type Check = (value: unknown) => string | undefined;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const text: Check = (value) => (typeof value === "string" ? undefined : " is no string");
const quantity: Check = (value) =>
  typeof value === "string" || typeof value === "number" ? undefined : " is no quantity";

/** Absent is right; null is not, because the API server sends none. */
const maybe =
  (check: Check): Check =>
  (value) =>
    value === undefined ? undefined : check(value);

/** None of the names is one that every object inherits. */
const fields = (checks: Record<string, Check>): Check => {
  const entries = Object.entries(checks);
  return (value) => {
    if (!isObject(value)) return " is no object";
    for (const [name, check] of entries) {
      const problem = check(value[name]);
      if (problem !== undefined) return `.${name}${problem}`;
    }
    return undefined;
  };
};

const mapOf =
  (check: Check, limit = Infinity): Check =>
  (value) => {
    if (!isObject(value)) return " is no object";
    const keys = Object.keys(value);
    if (keys.length > limit) return ` has more than ${limit} entries`;
    for (const key of keys) {
      const problem = check(value[key]);
      if (problem !== undefined) return `["${shown(key)}"]${problem}`;
    }
    return undefined;
  };

const listOf =
  (check: Check): Check =>
  (value) => {
    if (!Array.isArray(value)) return " is no list";
    for (let index = 0; index < value.length; index++) {
      const problem = check(value[index]);
      if (problem !== undefined) return `[${index}]${problem}`;
    }
    return undefined;
  };

const shortText =
  (limit: number): Check =>
  (value) =>
    text(value) ?? ((value as string).length > limit ? ` has more than ${limit} characters` : undefined);
/** No name of a container is longer; a regular expression need not read more. */
const containerName = shortText(63);
/** As long as a path can be on Linux. */
const pathExpression = shortText(4096);

/** Far more than anybody selects by; an object of so many long ones does not fit into etcd. */
const MAX_LABELS = 10_000;

/** Kubernetes' limit for all keys and values together, so that no annotation costs more than that to read. */
const MAX_ANNOTATIONS = 256 * 1024;
const annotations: Check = (value) => {
  if (!isObject(value)) return " is no object";
  let size = 0;
  for (const key of Object.keys(value)) {
    const item = value[key];
    if (typeof item !== "string") return `["${shown(key)}"] is no string`;
    size += key.length + item.length;
    if (size > MAX_ANNOTATIONS) return ` has more than ${MAX_ANNOTATIONS} characters`;
  }
  return undefined;
};

/** Deeper than anything that Kubernetes knows here. What is copied into sidecars has to be writable as JSON. */
const MAX_DEPTH = 10;
/** With for-in, which makes no list of the keys. */
function isDeep(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  for (const key in value) if (isDeep((value as Record<string, unknown>)[key], levels - 1)) return true;
  return false;
}
const copied = (checks: Record<string, Check>): Check => {
  const check = fields(checks);
  return (value) => check(value) ?? (isDeep(value, MAX_DEPTH) ? " is nested too deeply" : undefined);
};

const named = fields({ name: text });
const resources = maybe(mapOf(quantity));
const container = fields({
  name: containerName,
  restartPolicy: maybe(text),
  env: maybe(listOf(copied({ name: text, value: maybe(text) }))),
  volumeMounts: maybe(listOf(copied({ name: text, mountPath: text, subPathExpr: maybe(pathExpression) }))),
  volumeDevices: maybe(listOf(copied({ name: text, devicePath: text }))),
  resources: maybe(fields({ limits: resources, requests: resources })),
});
/** Far more than a node runs; so that work per container stays short. */
export const MAX_CONTAINERS = 1000;
const anyContainers = listOf(container);
const containers: Check = (value) =>
  Array.isArray(value) && value.length > MAX_CONTAINERS
    ? ` has more than ${MAX_CONTAINERS} entries`
    : anyContainers(value);

const pod = fields({
  metadata: fields({
    namespace: maybe(text),
    labels: maybe(mapOf(text, MAX_LABELS)),
    annotations: maybe(annotations),
  }),
  spec: fields({
    containers,
    initContainers: maybe(containers),
    volumes: maybe(listOf(named)),
    imagePullSecrets: maybe(listOf(fields({ name: maybe(text) }))),
  }),
  status: maybe(fields({ phase: maybe(text) })),
});

/** What is wrong with a pod, of the parts that injection reads. What it only passes on is left to the API server. */
export function podProblem(value: unknown): string | undefined {
  const problem = pod(value);
  return problem === undefined ? undefined : `pod${problem}`;
}
