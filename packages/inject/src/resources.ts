// SPDX-License-Identifier: Apache-2.0
import {
  compileRe2,
  evaluateResourceExpr,
  formatQuantity,
  fromNano,
  nanoOf,
  parseQuantity,
  ResourceExprError,
  toNano,
  type Container,
  type Pod,
  type Quantity,
  type ResourceExprs,
  type ResourcesPolicy,
} from "@hot/spec";
import { oncePer } from "./once-per.ts";
import { shown } from "./report.ts";

const RESOURCES = ["cpu", "memory"] as const;
type ResourceName = (typeof RESOURCES)[number];
type ListName = "limits" | "requests";

/** Why a policy gives no resources; the caller adds where it stands. */
export class ResourcesPolicyError extends Error {
  override readonly name = "ResourcesPolicyError";
  readonly reason: "NoResourceTarget" | "BadResourceExpression";

  constructor(reason: "NoResourceTarget" | "BadResourceExpression", message: string) {
    super(message);
    this.reason = reason;
  }
}

/**
 * What a policy may look at: native sidecars of the pod and its containers, without those of the SidecarSets at hand.
 */
export function resourceTargets({ spec }: Pod, sidecarNames: ReadonlySet<string>): Container[] {
  const native = (spec.initContainers ?? []).filter((one) => one.restartPolicy === "Always");
  return [...native, ...spec.containers].filter((one) => !sidecarNames.has(one.name));
}

/**
 * The resources of a sidecar container, as a whole. A limit exists only where every target has one, also for a constant
 * expression; a missing request counts as 0.
 *
 * @param candidates - see {@link resourceTargets}; the policy's regular expression chooses among them
 * @throws {ResourcesPolicyError} when nothing is chosen or an expression can't be computed
 */
export function resourcesOf(
  policy: ResourcesPolicy,
  candidates: readonly Container[],
): NonNullable<Container["resources"]> {
  const targets = chosen(policy, candidates);
  const result: { limits?: Record<string, Quantity>; requests?: Record<string, Quantity> } = {};
  for (const list of ["limits", "requests"] as const) {
    const values = evaluateList(policy, list, targets);
    if (Object.keys(values).length > 0) result[list] = values;
  }
  return result;
}

/** Of matching names. A thousand containers with the longest names leave 15 to a pattern. */
const MAX_STEPS = 1_000_000;

const regexOf = oncePer(({ targetContainersNameRegex = "" }: ResourcesPolicy) => compileRe2(targetContainersNameRegex));

function chosen(policy: ResourcesPolicy, candidates: readonly Container[]): Container[] {
  const compiled = regexOf(policy);
  const field = `resourcesPolicy.targetContainersNameRegex ${shown(policy.targetContainersNameRegex ?? "")}`;
  if ("problem" in compiled) throw new ResourcesPolicyError("NoResourceTarget", `${field} ${compiled.problem}`);
  const characters = candidates.reduce((sum, one) => sum + one.name.length, 0);
  if (characters * compiled.regex.steps > MAX_STEPS) {
    throw new ResourcesPolicyError("NoResourceTarget", `${field} is too large for so many containers`);
  }
  const targets = candidates.filter((one) => compiled.regex.test(one.name));
  if (targets.length === 0) throw new ResourcesPolicyError("NoResourceTarget", `${field} matches no container`);
  return targets;
}

function evaluateList(
  policy: ResourcesPolicy,
  list: ListName,
  targets: readonly Container[],
): Record<string, Quantity> {
  const expressions: ResourceExprs = policy.resourcesExpr?.[list] ?? {};
  const result: Record<string, Quantity> = {};
  for (const resource of RESOURCES) {
    const text = String(expressions[resource] ?? "");
    if (text === "") continue;
    const nano = aggregate(policy, list, resource, targets);
    if (nano === undefined) continue;
    result[resource] = evaluateOne(text, list, resource, nano);
  }
  return result;
}

function evaluateOne(text: string, list: ListName, resource: ResourceName, nano: bigint): string {
  try {
    const value = evaluateResourceExpr(text, { [resource]: { kind: "quantity", nano } });
    return formatQuantity(fromNano(nanoOf(value), resource === "memory" ? "binary" : "decimal"));
  } catch (error) {
    if (!(error instanceof ResourceExprError)) throw error;
    const field = `resourcesPolicy.resourcesExpr.${list}.${resource}`;
    throw new ResourcesPolicyError("BadResourceExpression", `${field} "${shown(text)}" ${error.message}`);
  }
}

/** The targets' sum or maximum; `undefined` for a limit that not all of them have. */
function aggregate(
  { targetContainersMode: mode }: ResourcesPolicy,
  list: ListName,
  resource: ResourceName,
  targets: readonly Container[],
): bigint | undefined {
  if (mode !== "sum" && mode !== "max") {
    const sentence = `resourcesPolicy.targetContainersMode ${shown(String(mode))} is neither sum nor max`;
    throw new ResourcesPolicyError("BadResourceExpression", sentence);
  }
  let result = 0n;
  for (const target of targets) {
    const quantity = target.resources?.[list]?.[resource];
    if (quantity === undefined && list === "limits") return undefined;
    if (quantity === undefined) continue;
    const nano = nanoOfTarget(target, list, resource, quantity);
    if (mode === "sum") result += nano;
    else if (nano > result) result = nano;
  }
  return result;
}

function nanoOfTarget(target: Container, list: ListName, resource: ResourceName, quantity: Quantity): bigint {
  const parsed = parseQuantity(quantity);
  const nano = parsed && toNano(parsed);
  if (nano !== undefined) return nano;
  const sentence = `container ${target.name} has no usable resources.${list}.${resource}`;
  throw new ResourcesPolicyError("BadResourceExpression", sentence);
}
