// SPDX-License-Identifier: Apache-2.0

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

const fields = (checks: Record<string, Check>): Check => {
  const entries = Object.entries(checks);
  return (value) => {
    if (!isObject(value)) return " is no object";
    for (const [name, check] of entries) {
      const problem = check(Object.hasOwn(value, name) ? value[name] : undefined);
      if (problem !== undefined) return `.${name}${problem}`;
    }
    return undefined;
  };
};

const mapOf =
  (check: Check): Check =>
  (value) => {
    if (!isObject(value)) return " is no object";
    for (const [key, item] of Object.entries(value)) {
      const problem = check(item);
      if (problem !== undefined) return `["${key}"]${problem}`;
    }
    return undefined;
  };

const listOf =
  (check: Check): Check =>
  (value) => {
    if (!Array.isArray(value)) return " is no list";
    for (const [index, item] of value.entries()) {
      const problem = check(item);
      if (problem !== undefined) return `[${index}]${problem}`;
    }
    return undefined;
  };

const named = fields({ name: text });
const resources = maybe(mapOf(quantity));
const container = fields({
  name: text,
  restartPolicy: maybe(text),
  env: maybe(listOf(fields({ name: text, value: maybe(text) }))),
  volumeMounts: maybe(listOf(fields({ name: text, mountPath: text, subPathExpr: maybe(text) }))),
  volumeDevices: maybe(listOf(fields({ name: text, devicePath: text }))),
  resources: maybe(fields({ limits: resources, requests: resources })),
});
const pod = fields({
  metadata: fields({
    namespace: maybe(text),
    labels: maybe(mapOf(text)),
    annotations: maybe(mapOf(text)),
  }),
  spec: fields({
    containers: listOf(container),
    initContainers: maybe(listOf(container)),
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
