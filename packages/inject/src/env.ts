// SPDX-License-Identifier: Apache-2.0
import { INJECTED_ENV, type Container, type EnvVar, type Pod, type TransferEnv } from "@hot/spec";
import { shown } from "./report.ts";

/** Whether a container came from an injection, Kruise's or ours. */
export function isInjected(container: Container): boolean {
  return container.env?.some((env) => env.name === INJECTED_ENV && env.value === "true") ?? false;
}

/** `base` and those of `more`, which has no name twice, whose name is not there yet. */
export function appendEnv(base: readonly EnvVar[], more: readonly EnvVar[]): EnvVar[] {
  if (more.length === 0) return [...base];
  const names = new Set(base.map((env) => env.name));
  return [...base, ...more.filter((env) => !names.has(env.name))];
}

/** Of equal names the first. */
export function uniqueEnv(env: readonly EnvVar[]): EnvVar[] {
  const names = new Set<string>();
  return env.filter(({ name }) => names.size < names.add(name).size);
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
    const explicit = new Map<string, EnvVar>();
    for (const one of source?.env ?? []) if (wanted.has(one.name)) explicit.set(one.name, one);
    for (const name of [...wanted].sort()) {
      const env = explicit.get(name);
      if (env === undefined) missing.push(`${shown(sourceName ?? "?")}.${name}`);
      else found.push(env);
    }
  }
  return { env: uniqueEnv(found), missing };
}

function transferNames({ envName, envNames }: TransferEnv): Set<string> {
  const names = new Set(envNames);
  if (envName !== undefined && envName !== "") names.add(envName);
  return names;
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

/** What follows `$(`. */
const VARIABLE = /[-._a-zA-Z][-._a-zA-Z0-9]*(?=\))/y;

/** The env of a container that the `subPathExpr` of its mounts refer to, in their order; of equal names the first. */
export function subPathEnv({ env = [], volumeMounts = [] }: Container): EnvVar[] {
  const found = new Map<string, EnvVar | null>();
  for (const { subPathExpr = "" } of volumeMounts) for (const name of variables(subPathExpr)) found.set(name, null);
  if (found.size === 0) return [];
  for (const one of env) if (found.get(one.name) === null) found.set(one.name, one);
  return [...found.values()].filter((one) => one !== null);
}

function variables(expression: string): string[] {
  const names: string[] = [];
  for (let at = expression.indexOf("$("); at >= 0; at = expression.indexOf("$(", at)) {
    at += 2;
    VARIABLE.lastIndex = at;
    if (!VARIABLE.test(expression)) continue;
    names.push(expression.slice(at, VARIABLE.lastIndex));
    at = VARIABLE.lastIndex;
  }
  return names;
}
