// SPDX-License-Identifier: Apache-2.0
import { INJECTED_ENV, type Container, type EnvVar, type Pod, type TransferEnv } from "@hot/spec";

/** Whether a container came from an injection, Kruise's or ours. */
export function isInjected(container: Container): boolean {
  return container.env?.some((env) => env.name === INJECTED_ENV && env.value === "true") ?? false;
}

/** `base` and those of `more` whose name is not there yet; the first of equal names wins. */
export function appendEnv(base: readonly EnvVar[], more: readonly EnvVar[]): EnvVar[] {
  if (more.length === 0) return [...base];
  const result = [...base];
  const names = new Set(base.map((env) => env.name));
  for (const env of more) {
    if (names.has(env.name)) continue;
    names.add(env.name);
    result.push(env);
  }
  return result;
}

export interface TransferredEnv {
  env: EnvVar[];
  /** `CONTAINER.NAME` of what was asked for and is not there. */
  missing: string[];
}

/**
 * The env that `transferEnv` copies from the app containers, whole (with `valueFrom`). Only explicit `env` is a source,
 * never `envFrom`. In one source the last of equal names wins, over several sources the first.
 */
export function transferredEnv(
  transfers: readonly TransferEnv[],
  pod: Pod,
  sources: readonly Container[],
): TransferredEnv {
  const found: EnvVar[] = [];
  const missing: string[] = [];
  for (const transfer of transfers) {
    const wanted = transferNames(transfer);
    const sourceName = transferSource(transfer, pod);
    const source = sources.find((container) => container.name === sourceName);
    for (const name of wanted) {
      const env = source?.env?.findLast((one) => one.name === name);
      if (env === undefined) missing.push(`${sourceName ?? "?"}.${name}`);
      else found.push(env);
    }
  }
  return { env: appendEnv([], found), missing };
}

function transferNames({ envName, envNames }: TransferEnv): string[] {
  const names = new Set(envNames);
  if (envName !== undefined && envName !== "") names.add(envName);
  return [...names].sort();
}

const SUBSCRIPT = /^metadata\.(labels|annotations)\['([^']*)'\]$/;

/** The source container's name; a field reference replaces the plain name, and one that leads nowhere gives none. */
function transferSource(transfer: TransferEnv, pod: Pod): string | undefined {
  const path = transfer.sourceContainerNameFrom?.fieldRef?.fieldPath;
  if (path === undefined) return transfer.sourceContainerName;
  const [, map, key] = SUBSCRIPT.exec(path) ?? [];
  if (key === undefined) return undefined;
  const values = map === "labels" ? pod.metadata.labels : pod.metadata.annotations;
  return values !== undefined && Object.hasOwn(values, key) ? values[key] : undefined;
}

const VARIABLE = /\$\(([-._a-zA-Z][-._a-zA-Z0-9]*)\)/g;

/** The env of a container that the `subPathExpr` of its mounts refer to, in their order; of equal names the first. */
export function subPathEnv({ env = [], volumeMounts = [] }: Container): EnvVar[] {
  const expressions = volumeMounts.flatMap(({ subPathExpr = "" }) => (subPathExpr === "" ? [] : subPathExpr));
  const names = new Set<string>();
  for (const [, name = ""] of expressions.join("\n").matchAll(VARIABLE)) names.add(name);
  if (names.size === 0) return [];
  const found = new Map<string, EnvVar>();
  for (const one of env) if (names.has(one.name) && !found.has(one.name)) found.set(one.name, one);
  return [...names].map((name) => found.get(name)).filter((one) => one !== undefined);
}
