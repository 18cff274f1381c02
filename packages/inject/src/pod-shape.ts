// SPDX-License-Identifier: Apache-2.0

/** A check of one value: says what is wrong with it, and where, or nothing. */
type Check = (value: unknown, path: string) => string | undefined;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const text: Check = (value, path) => (typeof value === "string" ? undefined : `${path} is no string`);
const quantity: Check = (value, path) =>
  typeof value === "string" || typeof value === "number" ? undefined : `${path} is no quantity`;

/** Absent is right; null is not, because the API server sends none. */
const maybe =
  (check: Check): Check =>
  (value, path) =>
    value === undefined ? undefined : check(value, path);

const fields = (checks: Record<string, Check>): Check => {
  const entries = Object.entries(checks);
  return (value, path) => {
    if (!isObject(value)) return `${path} is no object`;
    for (const [name, check] of entries) {
      const problem = check(Object.hasOwn(value, name) ? value[name] : undefined, `${path}.${name}`);
      if (problem !== undefined) return problem;
    }
    return undefined;
  };
};

const mapOf =
  (check: Check): Check =>
  (value, path) => {
    if (!isObject(value)) return `${path} is no object`;
    for (const [key, item] of Object.entries(value)) {
      const problem = check(item, `${path}["${key}"]`);
      if (problem !== undefined) return problem;
    }
    return undefined;
  };

const listOf =
  (check: Check): Check =>
  (value, path) => {
    if (!Array.isArray(value)) return `${path} is no list`;
    for (const [index, item] of value.entries()) {
      const problem = check(item, `${path}[${index}]`);
      if (problem !== undefined) return problem;
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
  return pod(value, "pod");
}
