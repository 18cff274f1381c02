// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from "node:util";
import { field, isJsonObject, listAt } from "./object.ts";

/** `Guaranteed` when every container has equal cpu and memory limits and requests, `BestEffort` when none has any. */
export function qosClass(spec: unknown): string {
  const resources = [...listAt(spec, "containers"), ...listAt(spec, "initContainers")].map((container) =>
    field(container, "resources"),
  );
  const present = (value: unknown): boolean => isJsonObject(value) && Object.keys(value).length > 0;
  if (!resources.some((one) => present(field(one, "limits")) || present(field(one, "requests")))) return "BestEffort";
  const guaranteed = resources.every((one) => {
    const limits = field(one, "limits");
    return (
      ["cpu", "memory"].every((name) => field(limits, name) !== undefined) &&
      isDeepStrictEqual(limits, field(one, "requests"))
    );
  });
  return guaranteed ? "Guaranteed" : "Burstable";
}
