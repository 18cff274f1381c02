// SPDX-License-Identifier: Apache-2.0
import { duplicate, fieldError, invalid, notSupported, required, type FieldErrors } from "../field-error.ts";
import { intOrPercentProblem } from "../int-or-percent.ts";
import type { SidecarSetSpec, UpdateStrategy } from "../sidecar-set.ts";
import { validateHotUpgradePolicy } from "./hot-upgrade.ts";
import { validateSelector } from "./selector.ts";

const PATH = "spec.updateStrategy";
const TYPES = ["RollingUpdate", "NotUpdate"];

export function* validateUpdateStrategy({
  updateStrategy: strategy = {},
  initContainers = [],
}: SidecarSetSpec): FieldErrors {
  const { type } = strategy;
  if (type && !TYPES.includes(type)) yield notSupported(`${PATH}.type`, type, TYPES);
  if (type !== "NotUpdate" && initContainers.some((container) => container.restartPolicy === "Always"))
    yield fieldError("NativeRollingUpdate", "FieldValueRequired", PATH, type);
  if (strategy.hotUpgrade) yield* validateHotUpgradePolicy(strategy.hotUpgrade);
  if (type === "NotUpdate") return;
  if (strategy.selector) {
    if (isSet(strategy.partition))
      yield fieldError("PartitionWithSelector", "FieldValueRequired", PATH, strategy.partition);
    yield* validateSelector(strategy.selector, `${PATH}.selector`);
  }
  for (const name of ["partition", "maxUnavailable"] as const) {
    const value = strategy[name];
    const problem = value === undefined ? undefined : intOrPercentProblem(value);
    if (problem !== undefined)
      yield fieldError("NotAPercentage", "FieldValueInvalid", `${PATH}.${name}`, value, `It ${problem}.`);
  }
  yield* validatePriority(strategy);
  yield* validateScatter(strategy);
}

function isSet(partition: UpdateStrategy["partition"]): boolean {
  return partition !== undefined && partition !== 0;
}

function* validatePriority({ priorityStrategy }: UpdateStrategy): FieldErrors {
  const at = `${PATH}.priorityStrategy`;
  const { orderPriority = [], weightPriority = [] } = priorityStrategy ?? {};
  if (orderPriority.length > 0 && weightPriority.length > 0)
    yield required(at, "orderPriority and weightPriority exclude each other.", "Remove one of the two.");
  for (const [index, { weight = 0, matchSelector = {} }] of weightPriority.entries()) {
    const term = `${at}.weightPriority[${index}]`;
    if (weight < 0 || weight > 100) yield invalid(`${term}.weight`, weight, "It must be from 0 to 100.");
    yield* validateSelector(matchSelector, `${term}.matchSelector`);
  }
  for (const [index, { orderedKey }] of orderPriority.entries())
    if (!orderedKey) yield required(`${at}.orderPriority[${index}].orderedKey`);
}

function* validateScatter({ scatterStrategy = [] }: UpdateStrategy): FieldErrors {
  const terms = new Set<string>();
  for (const [index, { key, value }] of scatterStrategy.entries()) {
    const at = `${PATH}.scatterStrategy[${index}]`;
    if (!key) yield required(`${at}.key`);
    const term = JSON.stringify([key, value]);
    if (terms.has(term)) yield duplicate(at, { key, value });
    terms.add(term);
  }
}
