// SPDX-License-Identifier: Apache-2.0
import { injectPod, type InjectPodInput } from "@hot/inject";
import { formatQuantity, parseQuantity, type ControllerRevision, type Quantity } from "@hot/spec";

export interface CorpusCase {
  name: string;
  quirk?: string;
  input: Omit<InjectPodInput, "now" | "namespace"> & {
    controllerRevisions?: ControllerRevision[];
    namespace?: { metadata: { name: string; labels?: Record<string, string> } };
    gates?: { EnableSortSidecarContainerByName?: boolean };
  };
  expected: { skip?: boolean; pod?: object; error?: true; panic?: true };
}

export const NOW = "2026-01-02T03:04:05Z";

export function parseCases(jsonl: string): CorpusCase[] {
  return jsonl
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as CorpusCase);
}

/** What we do and what upstream does, both in the form in which they are compared. */
export function compareCase({ input, expected }: CorpusCase): { actual: unknown; wanted: unknown } {
  const { pod, sidecarSets, namespace, controllerRevisions, gates } = input;
  const {
    pod: result,
    patch,
    report,
  } = injectPod({
    pod,
    sidecarSets,
    namespace: namespace === undefined ? undefined : { ...namespace.metadata },
    revisions: controllerRevisions ?? [],
    random: 0.5,
    now: NOW,
    sortContainersByName: gates?.EnableSortSidecarContainerByName ?? false,
  });
  const denied = report.denied !== undefined;
  if (expected.error === true || expected.panic === true) return { actual: { denied }, wanted: { denied: true } };
  return {
    actual: { denied, skip: patch.length === 0, pod: normal(result) },
    wanted: { denied: false, skip: expected.skip, pod: normal(expected.pod) },
  };
}

/**
 * The corpus' rules: no null members, no empty `status` and `resources`, JSON inside annotations parsed. Upstream's
 * output went through Go structs, which leave out `""`, `false`, `[]` and `{}`
 * and write an unset divisor as `"0"`; ours keeps what the user wrote.
 */
function normal(value: unknown): unknown {
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
