// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  MalformedError,
  defaultSidecarSet,
  revisionData,
  sidecarSetHashes,
  toInvalidStatus,
  toV1Alpha1,
  toV1Beta1,
  validateSidecarSet,
  type SidecarSet,
} from "../src/index.ts";
import { hostileObjects, sidecarSetWith } from "./hostile-objects.ts";

const whitelist = JSON.stringify({ rules: [{ allowedAnnotationKeyExprs: ["^(a?){500}$", "(x+x+)+y", "k"] }] });
const small = defaultSidecarSet(sidecarSetWith({}), "v1beta1").object;

/** What a webhook does with an object; whatever it is, the answers are results or errors with a code. */
function judge(given: unknown) {
  for (const act of [toV1Alpha1, toV1Beta1, sidecarSetHashes, revisionData]) {
    try {
      act(given as never);
    } catch (error) {
      expect(error).toBeInstanceOf(MalformedError);
      expect(error).toMatchObject({ code: "HOT3001", message: expect.stringContaining("(HOT3001)") as string });
    }
  }
  const defaulted = defaultSidecarSet(given, "v1beta1");
  const { object } = defaulted;
  const other = { ...object, metadata: { ...object?.metadata, name: "other" } };
  const metadataRules = { whitelist };
  const results = [
    validateSidecarSet({ operation: "CREATE", object, otherSidecarSets: [other], metadataRules }),
    validateSidecarSet({ operation: "UPDATE", object, oldObject: given, metadataRules }),
    validateSidecarSet({ operation: "UPDATE", object: small, oldObject: object, otherSidecarSets: [other] }),
  ];
  for (const { errors } of results) {
    for (const { code } of errors) expect(code).toMatch(/^HOT3\d{3}$/);
    expect(toInvalidStatus("ss", errors).details.causes.length).toBeLessThanOrEqual(1000);
  }
  return { defaulted, ...results[0]! };
}

const DEEP = 100_000;
const nested = (opening: string, inner: string, closing: string): unknown =>
  JSON.parse(opening.repeat(DEEP) + inner + closing.repeat(DEEP));
const arrays = nested("[", "", "]");
const objects = nested('{"a":', "1", "}");

describe("an object that is nested 100,000 levels deep", () => {
  const places: [string, (deep: unknown) => object][] = [
    ["x", (x) => ({ ...sidecarSetWith({}), x })],
    ["metadata", (metadata) => ({ ...sidecarSetWith({}), metadata: { annotations: metadata } })],
    ["status", (status) => ({ ...sidecarSetWith({}), status })],
    ["spec.volumes", (emptyDir) => sidecarSetWith({ volumes: [{ name: "v", emptyDir }] })],
    ["spec.containers", (env) => sidecarSetWith({}, { env })],
    ["spec.selector", (selector) => sidecarSetWith({ selector })],
    ["spec.unknown", (unknown) => sidecarSetWith({ unknown })],
  ];
  it.each(places)("at %s is refused with that place, and nothing throws without a code", (place, make) => {
    for (const given of [make(arrays), make(objects)]) {
      const { defaulted, errors } = judge(given);
      expect(defaulted).toEqual({ object: given, warnings: [] });
      expect(errors).toHaveLength(1);
      expect(errors[0]).toMatchObject({ code: "HOT3006", reason: "It is nested deeper than 100 levels." });
      expect(errors[0]!.field.startsWith(place)).toBe(true);
      expect(() => toV1Beta1(given as never)).toThrow(/^\S+ is nested deeper than 100 levels\. .*\(HOT3001\)$/);
    }
  });

  it("does not matter as the old object, nor as another SidecarSet", () => {
    const deep = sidecarSetWith({ volumes: [{ name: "v", emptyDir: arrays }] }) as SidecarSet;
    const rest = { oldObject: deep, otherSidecarSets: [deep, null, 5, {}] as never[] };
    expect(validateSidecarSet({ operation: "UPDATE", object: small, ...rest }).errors).toEqual([]);
  });

  it("may be the text of the whitelist", () => {
    const rules = `{"rules":[{"allowedAnnotationKeyExprs":[${"[".repeat(DEEP)}${"]".repeat(DEEP)}]}]}`;
    const object = defaultSidecarSet(sidecarSetWith({ patchPodMetadata: [{ annotations: { k: "v" } }] }), "v1beta1");
    const { errors } = validateSidecarSet({ operation: "CREATE", ...object, metadataRules: { whitelist: rules } });
    expect(errors).toMatchObject([
      { code: "HOT3306", reason: "The whitelist is not the JSON of an object with rules." },
    ]);
  });
});

it("a SidecarSet of 99 levels is accepted, and one of more than 1,000 containers is refused at once", () => {
  const deep = JSON.parse("[".repeat(96) + "]".repeat(96)) as unknown;
  const { object } = defaultSidecarSet(sidecarSetWith({}, { x: deep }), "v1beta1");
  expect(validateSidecarSet({ operation: "CREATE", object }).errors).toEqual([]);
  for (const list of ["containers", "initContainers"]) {
    const containers = Array.from({ length: 1001 }, () => null);
    expect(judge(sidecarSetWith({ [list]: containers })).errors).toMatchObject([
      { code: "HOT3006", field: `spec.${list}`, reason: "It has more than 1000 entries." },
    ]);
  }
});

describe("a whitelist", () => {
  const answer = (count: number, expression: string) => {
    const keys = Array.from({ length: count }, (_, at) => [`a${at}`, "v"]);
    const given = sidecarSetWith({ patchPodMetadata: [{ annotations: Object.fromEntries(keys) }] });
    const { object } = defaultSidecarSet(given, "v1beta1");
    const rules = JSON.stringify({ rules: [{ allowedAnnotationKeyExprs: [expression] }] });
    return validateSidecarSet({ operation: "CREATE", object, metadataRules: { whitelist: rules } }).errors;
  };

  it("with an expression that takes a backtracking engine for ever is answered", () => {
    expect(answer(50, "^(a|a)*$")).toHaveLength(50);
    expect(answer(50, "^(a+[0-9]*)+$")).toEqual([]);
  });

  it("whose expressions would have to be matched too often allows nothing and says why", () => {
    const errors = answer(900, "^(a?){1000}$");
    expect(errors).toHaveLength(900);
    expect(errors[0]).toMatchObject({
      code: "HOT3306",
      reason: "The expressions of the whitelist are too large for so many keys.",
    });
  });
});

describe("whatever the input", () => {
  const json = fc.jsonValue({ maxDepth: 3 });
  const spec = ["containers", "initContainers", "volumes", "selector", "updateStrategy", "injectionStrategy"];
  const container = [
    "ports",
    "env",
    "envFrom",
    "volumeMounts",
    "volumeDevices",
    "resources",
    "lifecycle",
    "name",
  ].concat([
    "readinessProbe",
    "transferEnv",
    "securityContext",
    "upgradeStrategy",
    "resourcesPolicy",
    "image",
    "resizePolicy",
  ]);
  const volume = ["projected", "projected.sources", "projected.sources.0.downwardAPI.items", "secret", "hostPath"];
  const places = ["apiVersion", "metadata", "metadata.labels", "metadata.annotations", "spec", "status"].concat(
    [...spec, "patchPodMetadata", "patchPodMetadata.0.annotations", "namespaceSelector"].map((name) => `spec.${name}`),
    container.map((name) => `spec.containers.0.${name}`),
    volume.map((name) => `spec.volumes.0.${name}`),
  );
  const template = (): object =>
    sidecarSetWith({
      patchPodMetadata: [{ annotations: { k: "v" } }],
      volumes: [{ name: "v", projected: { sources: [{ downwardAPI: { items: [{ path: "p" }] } }, { secret: {} }] } }],
    });

  it("a wrong value at any two places gives results or errors with a code", { timeout: 120_000 }, () => {
    const twice = fc.tuple(fc.constantFrom(...places), json, fc.constantFrom(...places), json);
    fc.assert(
      fc.property(twice, ([first, a, second, b]) => {
        const object = template();
        put(object, first.split("."), a);
        put(object, second.split("."), b);
        judge(object);
      }),
      { numRuns: 1000, seed: 1 },
    );
  });

  it("any JSON value does", { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(json, (given) => void judge(given)),
      { numRuns: 1000, seed: 1 },
    );
  });

  it.each(["__proto__", "constructor", "toString"])("%s may be a key of each map", (key) => {
    const text = JSON.stringify(sidecarSetWith({}, { resources: { limits: { cpu: "1" } } }))
      .replace('"name":"ss"', `"name":"ss","labels":{"${key}":"x"},"annotations":{"${key}":"x"}`)
      .replace('"cpu":', `"${key}":"1","cpu":`)
      .replace('"app":', `"${key}":"x","app":`)
      .replace('"image":', `"${key}":{"image":"evil"},"image":`);
    judge(JSON.parse(text));
    expect(({} as Record<string, unknown>)["image"]).toBeUndefined();
  });

  function put(target: unknown, [name = "", ...rest]: string[], value: unknown): void {
    if (typeof target !== "object" || target === null) return;
    if (rest.length === 0) (target as Record<string, unknown>)[name] = value;
    else put((target as Record<string, unknown>)[name], rest, value);
  }
});

describe("the work grows as the object does", () => {
  const GROWTH = 8;
  /** Half way, on a logarithmic scale, between work that grows as the input does and work that grows as its square. */
  const LIMIT = GROWTH ** 1.5;
  /** Microseconds; less than this is the clock's and the compiler's noise. */
  const LEAST = 2000;

  /** Processor time, in microseconds. */
  function cost(object: object): number {
    const before = process.cpuUsage();
    judge(object);
    const { user, system } = process.cpuUsage(before);
    return Math.max(LEAST, user + system);
  }

  /** Of the fastest of some runs in turn: what else the machine does only ever adds. It ends once the answer is clear. */
  function growth(small: object, large: object): number {
    let [least, most] = [Infinity, Infinity];
    for (let run = 0; run < 12 && (run < 2 || most / least >= LIMIT); run++) {
      least = Math.min(least, cost(small));
      most = Math.min(most, cost(large));
    }
    return most / least;
  }

  it.each(Object.entries(hostileObjects))("%s", { timeout: 120_000 }, (_, { size, make }) => {
    expect(growth(make(size / GROWTH), make(size))).toBeLessThan(LIMIT);
  });
});
