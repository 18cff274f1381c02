// SPDX-License-Identifier: Apache-2.0
import { accessSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import type * as ClientNode from "@kubernetes/client-node";
import type { KubeConfig } from "@kubernetes/client-node";
import { ConfigError } from "./api-error.ts";

export interface KubeconfigOptions {
  /** Path of a kubeconfig; default: the files of `KUBECONFIG`, `~/.kube/config`, the service account of a pod. */
  kubeconfig?: string;
  /** Name of the context; default: the kubeconfig's current one. */
  context?: string;
  /** Where a pod finds `token` and `ca.crt`; default: where Kubernetes puts them. */
  serviceAccountFolder?: string;
}

// Loaded by the first connection: the generated models that come along cost half a second and 60 MB, which those who
// only use types, stores and queues need not pay.
function emptyKubeConfig(): KubeConfig {
  const clientNode = createRequire(import.meta.url)("@kubernetes/client-node") as typeof ClientNode;
  return new clientNode.KubeConfig();
}

const HOW = "Name a kubeconfig, set KUBECONFIG, or run in a pod with a service account.";

/** Whether there is a kubeconfig, or one was named; otherwise there may be a service account. */
export function hasKubeconfig(options: KubeconfigOptions): boolean {
  return options.context !== undefined || pathsOf(options).length > 0;
}

/** Loads the kubeconfig anew. The result has a current cluster with an http or https address. */
export function loadKubeconfig(options: KubeconfigOptions): KubeConfig {
  const paths = pathsOf(options);
  const where = `kubeconfig ${paths.join(delimiter)}`;
  const config = emptyKubeConfig();
  if (paths.length > 0) {
    config.loadFromOptions({ clusters: [], users: [], contexts: [], currentContext: undefined });
    for (const path of paths) merge(config, loadFile(path));
  } else {
    throw new ConfigError("the default kubeconfig", "there is none", HOW);
  }
  if (options.context !== undefined) config.setCurrentContext(options.context);
  check(config, where);
  return config;
}

function pathsOf({ kubeconfig }: KubeconfigOptions): string[] {
  if (kubeconfig !== undefined) return [resolve(kubeconfig)];
  const named = (process.env["KUBECONFIG"] ?? "").split(delimiter).filter((path) => path !== "");
  // As kubectl does it: of several files those that do not exist are skipped, a single one must exist.
  if (named.length > 0) return named.length === 1 ? named : named.filter(exists);
  const home = join(homedir(), ".kube", "config");
  return exists(home) ? [home] : [];
}

function loadFile(path: string): KubeConfig {
  const config = emptyKubeConfig();
  try {
    // client-node 2.0.1 looks for `token-file` although the field's name is `tokenFile`.
    config.loadFromString(readFileSync(path, "utf8").replace(/\btokenFile(?=["']?\s*:)/g, "token-file"));
  } catch (error) {
    const why = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    throw new ConfigError(`kubeconfig ${path}`, `it can't be read (${why})`, HOW, error);
  }
  config.makePathsAbsolute(dirname(path));
  return config;
}

/** As kubectl merges: the first to name a cluster, user, context or the current context wins. */
function merge(into: KubeConfig, from: KubeConfig): void {
  for (const cluster of from.clusters) if (!into.getCluster(cluster.name)) into.addCluster(cluster);
  for (const user of from.users) if (!into.getUser(user.name)) into.addUser(user);
  const known = new Set(into.contexts.map(({ name }) => name));
  for (const context of from.contexts) if (!known.has(context.name)) into.addContext(context);
  if (!into.currentContext && from.currentContext) into.setCurrentContext(from.currentContext);
}

function check(config: KubeConfig, where: string): void {
  const names = config.contexts.map(({ name }) => name).join(", ") || "none";
  if (!config.currentContext) {
    throw new ConfigError(where, "it has no current-context", `Choose one of its contexts: ${names}.`);
  }
  const context = config.contexts.find(({ name }) => name === config.currentContext);
  if (!context) {
    throw new ConfigError(where, `there is no context "${config.currentContext}"`, `Choose one of: ${names}.`);
  }
  const cluster = config.getCluster(context.cluster);
  if (!cluster) {
    throw new ConfigError(where, `context "${context.name}" names an unknown cluster "${context.cluster}"`, "Add it.");
  }
  if (!URL.canParse(cluster.server) || !/^https?:$/.test(new URL(cluster.server).protocol)) {
    throw new ConfigError(
      where,
      `"${cluster.server}" of cluster "${cluster.name}" is no http(s) address`,
      "Correct it.",
    );
  }
}

function exists(path: string): boolean {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
}
