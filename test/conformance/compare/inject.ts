// SPDX-License-Identifier: Apache-2.0
import { injectPod, type InjectPodInput } from "../../../packages/inject/src/index.ts";
import { formatQuantity, parseQuantity, type ControllerRevision, type Quantity, type SidecarSet } from "@hot/spec";
import { isDeepStrictEqual } from "node:util";
import type { Case, Comparison } from "../corpus-case.ts";

export type InjectCase = Case<
  Omit<InjectPodInput, "now" | "namespace" | "sidecarSets"> & {
    sidecarSets: SidecarSet[];
    controllerRevisions?: ControllerRevision[];
    namespace?: { metadata: { name: string; labels?: Record<string, string> } };
    gates?: { EnableSortSidecarContainerByName?: boolean };
  },
  Result & { alternative?: Result }
>;

/** What Kruise made of a pod. */
interface Result {
  skip?: boolean;
  pod?: object;
  error?: true;
  panic?: true;
}

export const NOW = "2026-01-02T03:04:05Z";

/** What injectPod gets for a case, whatever the pod. */
export function circumstances({ input }: InjectCase): Omit<InjectPodInput, "pod" | "now"> {
  const { namespace, gates, sidecarSets, controllerRevisions = [] } = input;
  return {
    sidecarSets,
    namespace: namespace && { ...namespace.metadata },
    revisions: controllerRevisions,
    random: 0.5,
    sortContainersByName: gates?.EnableSortSidecarContainerByName ?? false,
  };
}

export function compareInjection(one: InjectCase): Comparison {
  const { pod, patch, report } = injectPod({ ...circumstances(one), pod: one.input.pod, now: NOW });
  const denied = report.denied !== undefined;
  const { alternative, ...expected } = one.expected;
  const compared = (result: Result): Comparison => ({
    ...against(result),
    ours: { denied: report.denied, pod, patch },
  });
  const against = (result: Result): Comparison => {
    if (result.error === true || result.panic === true) return { actual: { denied }, wanted: { denied: true } };
    return {
      actual: { denied, skip: patch.length === 0, pod: normal(pod) },
      wanted: { denied: false, skip: result.skip, pod: normal(result.pod) },
    };
  };
  const first = compared(expected);
  // With several SidecarSets Kruise's order is not fixed; either of two results is right.
  if (alternative === undefined || isDeepStrictEqual(first.actual, first.wanted)) return first;
  const second = compared(alternative);
  return isDeepStrictEqual(second.actual, second.wanted) ? second : first;
}

/**
 * The corpus' rules: no null members, no empty `status` and `resources`, JSON inside annotations parsed. Upstream's
 * output went through Go structs, which leave out `""`, `false`, `[]` and `{}`
 * and write an unset divisor as `"0"`; ours keeps what the user wrote.
 */
export function normal(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normal);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value)
    .filter(
      ([key, member]) =>
        !isGoEmpty(member) && !(key === "divisor" && member === "0") && !(DROPPED_IF_EMPTY.has(key) && isEmpty(member)),
    )
    .map(([key, member]) => [
      key,
      key === "divisor"
        ? canonical(member as Quantity)
        : QUANTITY_MAPS.has(key)
          ? quantities(member)
          : JSON_ANNOTATIONS.has(key)
            ? normal(parsed(member))
            : normal(member),
    ]);
  return Object.fromEntries(entries);
}

const DROPPED_IF_EMPTY = new Set(["status", "resources", "limits", "requests"]);
const JSON_ANNOTATIONS = new Set([
  "kruise.io/sidecarset-hash",
  "kruise.io/sidecarset-hash-without-image",
  "kruise.io/sidecarset-working-hotupgrade-container",
]);

const QUANTITY_MAPS = new Set(["limits", "requests"]);

function quantities(map: unknown): unknown {
  const entries = Object.entries(map as Record<string, Quantity>);
  return Object.fromEntries(entries.map(([key, quantity]) => [key, canonical(quantity)]));
}

function canonical(text: Quantity): Quantity {
  const quantity = parseQuantity(text);
  if (quantity === undefined) return text;
  return formatQuantity({ mantissa: quantity.mantissa, scale: quantity.scale, format: "decimal" });
}

function parsed(value: unknown): unknown {
  try {
    return JSON.parse(value as string);
  } catch {
    return value;
  }
}

function isGoEmpty(value: unknown): boolean {
  return value === null || value === "" || value === false || (Array.isArray(value) && value.length === 0);
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}
