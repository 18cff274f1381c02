// SPDX-License-Identifier: Apache-2.0
import type { Container, Quantity } from "../container.ts";
import { duplicate, fieldError, invalid, notSupported, type FieldError, type FieldErrors } from "../field-error.ts";
import { qualifiedNameProblem } from "../label-name.ts";
import { toNano } from "../nano-quantity.ts";
import { compareQuantities, parseQuantity } from "../quantity.ts";

const STANDARD = new Set(["cpu", "memory", "ephemeral-storage"]);
const HUGE = "hugepages-";
const RESIZABLE = ["cpu", "memory"];
const RESIZE_POLICIES = ["NotRequired", "RestartContainer"];

/** Limits and requests: names, signs, whole numbers of devices, no request above its limit. */
export function* validateResources(
  container: Container,
  kind: "container" | "native" | "init",
  path: string,
): FieldErrors {
  const { limits = {}, requests = {}, claims = [] } = container.resources ?? {};
  yield* validateList(limits, `${path}.resources.limits`);
  yield* validateList(requests, `${path}.resources.requests`);
  for (const [name, value] of Object.entries(requests)) {
    const limit = Object.hasOwn(limits, name) ? limits[name] : undefined;
    const order = limit === undefined ? undefined : compare(value, limit);
    const mustEqual = !canOvercommit(name);
    if (mustEqual && (order === undefined || order !== 0))
      yield resourceError(
        `${path}.resources.requests`,
        value,
        `The request of ${name} must equal its limit, because it can't be overcommitted.`,
      );
    else if (order !== undefined && order > 0)
      yield resourceError(`${path}.resources.requests`, value, `The request of ${name} is above its limit ${limit}.`);
  }
  for (const [index, claim] of claims.entries())
    yield fieldError(
      "ResourcesInvalid",
      "FieldValueNotFound",
      `${path}.resources.claims[${index}]`,
      claim,
      "A sidecar can't use claims of the pod.",
      "Remove the claim.",
    );
  const needsOthers = Object.keys({ ...limits, ...requests }).some((name) => name.startsWith("hugepages-"));
  if (needsOthers && !["cpu", "memory"].some((name) => Object.hasOwn(limits, name) || Object.hasOwn(requests, name)))
    yield fieldError(
      "ResourcesInvalid",
      "FieldValueForbidden",
      `${path}.resources`,
      container.resources,
      "Huge pages need cpu or memory beside them.",
      "Set cpu or memory.",
    );
  yield* validateResizePolicy(container, kind, path);
}

function* validateList(list: Record<string, Quantity>, path: string): FieldErrors {
  for (const [name, value] of Object.entries(list)) {
    const at = `${path}[${name}]`;
    const problem = resourceNameProblem(name);
    if (problem !== undefined) yield invalid(at, name, problem);
    const parsed = parseQuantity(value);
    if (!parsed) continue;
    if (parsed.mantissa < 0n) yield resourceError(at, value, "It must be at least 0.");
    else if (name.startsWith(HUGE)) yield* validateHugePages(name, value, at);
    else if (!canOvercommit(name) && !isWhole(value)) yield resourceError(at, value, `${name} must be a whole number.`);
  }
}

function resourceNameProblem(name: string): string | undefined {
  if (STANDARD.has(name) || name.startsWith("hugepages-")) return undefined;
  const problem = qualifiedNameProblem(name);
  if (problem !== undefined) return `The name ${problem}.`;
  return isOfKubernetes(name) || (name.includes("/") && !name.startsWith("requests."))
    ? undefined
    : "It must be cpu, memory, ephemeral-storage, hugepages-SIZE or have a domain, such as example.com/gpu.";
}

/** Huge pages are taken in whole pages of the size that the name says. */
function* validateHugePages(name: string, value: Quantity, at: string): FieldErrors {
  const [amount, size] = [parseQuantity(value), parseQuantity(name.slice(HUGE.length))].map(
    (one) => one && toNano(one),
  );
  if (amount === undefined) return;
  if (size === undefined || size <= 0n || amount % size !== 0n)
    yield resourceError(at, value, `It must be a multiple of the page size in ${name}.`);
}

/** Resources that Kubernetes itself names: a request may be below its limit, and need not be whole. */
function canOvercommit(name: string): boolean {
  return STANDARD.has(name) || isOfKubernetes(name);
}

function isOfKubernetes(name: string): boolean {
  return /(^|\.)kubernetes\.io\//.test(name);
}

function isWhole(value: Quantity): boolean {
  const parsed = parseQuantity(value);
  return !parsed || parsed.scale >= 0 || parsed.mantissa % 10n ** BigInt(-parsed.scale) === 0n;
}

function compare(a: Quantity, b: Quantity): number | undefined {
  const [left, right] = [parseQuantity(a), parseQuantity(b)];
  return left && right && compareQuantities(left, right);
}

function resourceError(field: string, value: unknown, reason: string): FieldError {
  return fieldError("ResourcesInvalid", "FieldValueInvalid", field, value, reason);
}

function* validateResizePolicy(
  { resizePolicy = [] }: Container,
  kind: "container" | "native" | "init",
  path: string,
): FieldErrors {
  if (kind === "init" && resizePolicy.length > 0)
    yield invalid(`${path}.resizePolicy`, resizePolicy, "An init container without restartPolicy Always has none.");
  const seen = new Set<string>();
  for (const [index, { resourceName, restartPolicy }] of resizePolicy.entries()) {
    const at = `${path}.resizePolicy[${index}]`;
    if (seen.has(resourceName)) yield duplicate(at, resourceName);
    seen.add(resourceName);
    if (!RESIZABLE.includes(resourceName)) yield notSupported(`${at}.resourceName`, resourceName, RESIZABLE);
    if (!RESIZE_POLICIES.includes(restartPolicy))
      yield notSupported(`${at}.restartPolicy`, restartPolicy, RESIZE_POLICIES);
  }
}
