// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import {
  compareQuantities,
  defaultSidecarSet,
  formatQuantity,
  parseQuantity,
  revisionData,
  roundUpToMilli,
  sidecarSetHashes,
  toNano,
  toV1Alpha1,
  toV1Beta1,
  validateSidecarSet,
  type FieldError,
  type ParsedQuantity,
  type SidecarSet,
} from "../src/index.ts";

// A thousand runs take seconds where other tests share the processor.
vi.setConfig({ testTimeout: 60_000 });

const RUNS = { numRuns: 1000, seed: 3 };
const word = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
const some = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(model, { requiredKeys: [] });
const labels = fc.dictionary(word, word, { maxKeys: 3 });
const selector = some({ matchLabels: labels });
const amounts = some({
  cpu: fc.constantFrom("1", "1000m", "0.5", "1e3", 2),
  memory: fc.constantFrom("1.5Gi", "1024Mi", "0"),
});
const container = fc.record(
  {
    name: word,
    image: fc.constantFrom("a", "a:1", "a:latest", "a@sha256:b", ""),
    env: fc.array(fc.record({ name: word, value: fc.string() }), { maxLength: 3 }),
    resources: some({ limits: amounts, requests: amounts }),
    restartPolicy: fc.constant("Always"),
    ports: fc.array(fc.record({ containerPort: fc.integer({ min: 1, max: 65535 }) }), { maxLength: 2 }),
    livenessProbe: some({
      exec: fc.record({ command: fc.array(fc.string()) }),
      periodSeconds: fc.integer({ min: 0, max: 9 }),
    }),
    upgradeStrategy: some({ upgradeType: fc.constantFrom("HotUpgrade", "ColdUpgrade"), hotUpgradeEmptyImage: word }),
  },
  { requiredKeys: ["name"] },
);
const sidecarSet = fc.record({
  // An empty map is the same as none, and v1alpha1's label leaves none behind.
  metadata: fc.record({ name: word, labels: fc.dictionary(word, word, { minKeys: 1 }) }, { requiredKeys: ["name"] }),
  spec: some({
    selector,
    namespaceSelector: selector,
    customVersion: word,
    containers: fc.array(container, { maxLength: 3 }),
    initContainers: fc.array(container, { maxLength: 2 }),
    volumes: fc.array(fc.record({ name: word }), { maxLength: 2 }),
    revisionHistoryLimit: fc.integer({ min: 0, max: 20 }),
  }),
}) as fc.Arbitrary<SidecarSet>;

/** The same value with the keys of every object the other way round. */
function turned<T>(value: T): T {
  if (Array.isArray(value)) return value.map(turned) as T;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).reverse();
  return Object.fromEntries(entries.map(([key, member]) => [key, turned(member)])) as T;
}

describe("every SidecarSet", () => {
  it("is defaulted once: a second time changes nothing", () => {
    fc.assert(
      fc.property(sidecarSet, (given) => {
        const { object } = defaultSidecarSet(given, "v1beta1");
        expect(defaultSidecarSet(object, "v1beta1").object).toEqual(object);
      }),
      RUNS,
    );
  });

  it("comes back from v1alpha1 as it was", () => {
    fc.assert(
      fc.property(sidecarSet, (given) => {
        const beta: SidecarSet = { apiVersion: "apps.kruise.io/v1beta1", kind: "SidecarSet", ...given };
        const before = structuredClone(beta);
        expect(toV1Beta1(toV1Alpha1(beta))).toEqual(before);
        expect(beta).toEqual(before);
      }),
      RUNS,
    );
  });

  it("has hashes and recorded data that do not depend on the order of keys", () => {
    fc.assert(
      fc.property(sidecarSet, (given) => {
        expect(sidecarSetHashes(turned(given))).toEqual(sidecarSetHashes(given));
        expect(revisionData(turned(given))).toBe(revisionData(given));
      }),
      RUNS,
    );
  });
});

it("every quantity has the value that whole numbers give", () => {
  const units = {
    n: 1n,
    u: 10n ** 3n,
    m: 10n ** 6n,
    "": 10n ** 9n,
    k: 10n ** 12n,
    M: 10n ** 15n,
    Ki: 1024n * 10n ** 9n,
    Mi: 1024n ** 2n * 10n ** 9n,
  };
  const quantity = fc.tuple(
    fc.bigInt(-(10n ** 9n), 10n ** 9n),
    fc.constantFrom(...(Object.keys(units) as (keyof typeof units)[])),
  );
  fc.assert(
    fc.property(quantity, quantity, ([a, unitA], [b, unitB]) => {
      const [left, right] = [parseQuantity(`${a}${unitA}`)!, parseQuantity(`${b}${unitB}`)!];
      expect(toNano(left)).toBe(a * units[unitA]);
      const difference = a * units[unitA] - b * units[unitB];
      expect(Math.sign(compareQuantities(left, right))).toBe(difference > 0n ? 1 : difference < 0n ? -1 : 0);
    }),
    RUNS,
  );
});

describe("every quantity, as whole numbers of 10⁻⁹", () => {
  const SCALES = { n: -9, u: -6, m: -3, "": 0, k: 3, M: 6, G: 9, e3: 3, "e-6": -6 } as const;
  const decimal = fc.record({
    digits: fc.bigInt(-(10n ** 7n), 10n ** 7n),
    places: fc.integer({ min: 0, max: 4 }),
    suffix: fc.constantFrom(...(Object.keys(SCALES) as (keyof typeof SCALES)[])),
  });
  /** digits × 10^(scale − places) in units of 10^-13, so that nothing is lost. */
  const exact = ({ digits, places, suffix }: { digits: bigint; places: number; suffix: keyof typeof SCALES }): bigint =>
    digits * 10n ** BigInt(13 + SCALES[suffix] - places);
  const text = ({ digits, places, suffix }: { digits: bigint; places: number; suffix: string }): string => {
    const sign = digits < 0n ? "-" : "";
    const padded = String(digits < 0n ? -digits : digits).padStart(places + 1, "0");
    const cut = padded.length - places;
    return `${sign}${padded.slice(0, cut)}${places > 0 ? `.${padded.slice(cut)}` : ""}${suffix}`;
  };
  /** Away from zero, to a multiple of the unit. */
  const up = (value: bigint, unit: bigint): bigint => {
    const magnitude = value < 0n ? -value : value;
    const rounded = ((magnitude + unit - 1n) / unit) * unit;
    return value < 0n ? -rounded : rounded;
  };
  const inUnits = (quantity: ParsedQuantity): bigint => quantity.mantissa * 10n ** BigInt(13 + quantity.scale);

  it("keeps its value in the canonical text, which is canonical itself", () => {
    fc.assert(
      fc.property(decimal, (given) => {
        const canonical = formatQuantity(parseQuantity(text(given))!);
        // What is finer than nano is rounded up by the parser, as in Kubernetes.
        expect(inUnits(parseQuantity(canonical)!)).toBe(up(exact(given), 10n ** 4n));
        expect(formatQuantity(parseQuantity(canonical)!)).toBe(canonical);
      }),
      RUNS,
    );
  });

  it("is rounded to milli away from zero", () => {
    fc.assert(
      fc.property(decimal, (given) => {
        const rounded = roundUpToMilli(parseQuantity(text(given))!);
        expect(inUnits(rounded)).toBe(up(exact(given), 10n ** 10n));
      }),
      RUNS,
    );
  });
});

it("every refusal is complete, and does not depend on the order of keys", () => {
  fc.assert(
    fc.property(sidecarSet, (given) => {
      const { object } = defaultSidecarSet(given, "v1beta1");
      const { errors, warnings } = validateSidecarSet({ operation: "CREATE", object });
      const again = validateSidecarSet({ operation: "CREATE", object: turned(object) });
      const places = (list: FieldError[]) => list.map(({ code, field, reason }) => [code, field, reason]);
      expect(places(again.errors)).toEqual(places(errors));
      expect(again.warnings).toEqual(warnings);
      for (const { code, field, reason, fix } of errors) {
        expect(code).toMatch(/^HOT3\d{3}$/);
        expect(field).toMatch(/^(spec|metadata)\b/);
        for (const sentence of [reason, fix]) expect(sentence).toMatch(/^\S.*[.`]$/);
      }
    }),
    RUNS,
  );
});
