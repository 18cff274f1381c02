// SPDX-License-Identifier: Apache-2.0
import { field, isJsonObject, shown } from "./object.ts";

const STEP = /\.([A-Za-z0-9_-]+)|\[(\d+)\]|\['([^']*)'\]|\[\?\(@\.([A-Za-z0-9_.-]+)==["']([^"']*)["']\)\]|\[(\*)\]/;

/**
 * Evaluates the subset of JSONPath that printer columns use: `.a.b[0]`, `.a['k']`, `.a[*].b` and
 * `.conditions[?(@.type=="Ready")].status`. The first match wins; unknown syntax gives undefined.
 */
export function jsonPath(value: unknown, path: string): unknown {
  let here: unknown[] = [value];
  const steps = new RegExp(STEP.source, "y");
  while (steps.lastIndex < path.length) {
    const step = steps.exec(path);
    if (!step) return undefined;
    const [, name, index, quoted, filterField, filterValue, all] = step;
    here = here.flatMap((item): unknown[] => {
      if (name !== undefined || quoted !== undefined) return present(field(item, unescape(name ?? quoted ?? "")));
      if (!Array.isArray(item)) return [];
      if (index !== undefined) return present(item[Number(index)]);
      if (all !== undefined) return item;
      return item.filter((one) => isJsonObject(one) && shown(jsonPath(one, `.${filterField}`)) === filterValue);
    });
  }
  return here[0];
}

const present = (value: unknown): unknown[] => (value === undefined ? [] : [value]);
const unescape = (name: string): string => name.replaceAll("\\", "");
