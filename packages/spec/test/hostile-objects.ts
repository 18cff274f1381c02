// SPDX-License-Identifier: Apache-2.0

const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));
const members = (count: number, make: (index: number) => [string, unknown]): object =>
  Object.fromEntries(times(count, make));

/** A SidecarSet whose spec is right but for these fields. */
export function sidecarSetWith(spec: object, container: object = {}): object {
  const containers = [{ name: "c", image: "img:1", ...container }];
  return { metadata: { name: "ss" }, spec: { selector: { matchLabels: { app: "x" } }, containers, ...spec } };
}

const policies = (count: number, regex: string, cpu = "1"): object =>
  sidecarSetWith({
    containers: times(count, (at) => ({
      name: `c${at}`,
      image: "img:1",
      resourcesPolicy: {
        targetContainersMode: "sum",
        targetContainersNameRegex: regex,
        resourcesExpr: { limits: { cpu } },
      },
    })),
  });

/**
 * SidecarSets that somebody could send to make the webhook slow: as large as `size` makes them, with what takes time in
 * each rule. Some are valid.
 */
export const hostileObjects: Record<string, { size: number; make: (count: number) => object }> = {
  "unknown fields with names near to known ones": {
    size: 4000,
    make: (count) => sidecarSetWith(members(count, (at) => [`imagePullSecretsAnd${at}`, 1])),
  },
  "unknown fields in many containers": {
    size: 240,
    make: (count) =>
      sidecarSetWith({
        containers: times(count, (at) => ({
          name: `c${at}`,
          ...members(20, (index) => [`terminationMessagePolicy${at}${index}`, 1]),
        })),
      }),
  },
  "null items": { size: 80_000, make: (count) => sidecarSetWith({ patchPodMetadata: times(count, () => null) }) },
  "items of a wrong type": { size: 80_000, make: (count) => sidecarSetWith({}, { env: times(count, () => 1) }) },
  "faulty env": { size: 8000, make: (count) => sidecarSetWith({}, { env: times(count, () => ({ name: "=" })) }) },
  "volumes and mounts": {
    size: 2400,
    make: (count) =>
      sidecarSetWith(
        { volumes: times(count, (at) => ({ name: `v${at}`, emptyDir: {} })) },
        { volumeMounts: times(count, (at) => ({ name: `v${at}`, mountPath: `/${at}` })) },
      ),
  },
  "a selector with many terms of one key": {
    size: 4000,
    make: (count) => {
      const term = (at: number) => ({ key: "app", operator: "In", values: ["x", `y${at}`] });
      return sidecarSetWith({ selector: { matchExpressions: times(count, term) } });
    },
  },
  "a selector with many values": {
    size: 8000,
    make: (count) => {
      const values = times(count, (at) => `v${at}`);
      const term = (operator: string) => ({ key: "app", operator, values });
      return sidecarSetWith({ selector: { matchExpressions: [term("In"), term("NotIn")] } });
    },
  },
  "images that are nearly names": {
    size: 400,
    make: (count) =>
      sidecarSetWith({ containers: times(count, (at) => ({ name: `c${at}`, image: `${"a.".repeat(500)}!` })) }),
  },
  "quantities with huge exponents": {
    size: 2400,
    make: (count) => {
      const list = (text: string) => members(count, (at) => [`example.com/r${at}`, text]);
      return sidecarSetWith({}, { resources: { limits: list("1e999999999"), requests: list("1e-999999999") } });
    },
  },
  "keys with a long common beginning": {
    size: 1600,
    make: (count) =>
      sidecarSetWith({}, { resources: { limits: members(count, (at) => ["a".repeat(1000) + String(at), "1"]) } }),
  },
  "a pattern that is nearly repetitions": {
    size: 4096,
    make: (length) => policies(8, "{1,".repeat(Math.floor(length / 3))),
  },
  "a pattern of nested repetitions": {
    size: 800,
    make: (depth) => policies(16, "(".repeat(depth) + "a" + "){1}".repeat(depth)),
  },
  "a pattern with brackets that do not end": {
    size: 4000,
    make: (length) => policies(8, `[${"[:".repeat(length / 2)}`),
  },
  "a pattern of Unicode classes": { size: 4000, make: (length) => policies(8, "\\pL".repeat(Math.floor(length / 3))) },
  "an expression in parentheses": {
    size: 1000,
    make: (length) => policies(16, ".*", "(".repeat(length / 2) + "1" + ")".repeat(length / 2 - 1)),
  },
  "an expression of spaces": { size: 1000, make: (length) => policies(16, ".*", `1${" ".repeat(length - 2)}1`) },
  "annotations for pods": {
    size: 4000,
    make: (count) => sidecarSetWith({ patchPodMetadata: times(count, (at) => ({ annotations: { [`k${at}`]: "v" } })) }),
  },
  "projected files": {
    size: 4000,
    make: (count) => {
      const source = (at: number) => ({ secret: { name: "s", items: [{ key: "k", path: `p${at}` }] } });
      return sidecarSetWith({ volumes: [{ name: "v", projected: { sources: times(count, source) } }] });
    },
  },
  "values 90 levels deep": {
    size: 80_000,
    make: (count) =>
      sidecarSetWith({}, { x: JSON.parse(`${"[".repeat(90)}${times(count, () => "null").join()}${"]".repeat(90)}`) }),
  },
};
