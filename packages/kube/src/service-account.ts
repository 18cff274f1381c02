// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { isIPv6 } from "node:net";
import { join } from "node:path";
import { ConfigError } from "./api-error.ts";
import type { Credentials, CredentialSource } from "./credential-source.ts";

/** Where every pod finds its token, unless it asked for none. */
export const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";
const FIX = "Give the pod a ServiceAccount whose token is mounted, or name a kubeconfig.";
/** Upper bound of the age of what was read: a token lives for an hour, and is replaced long before its end. */
const FRESH_MS = 10_000;

export interface ServiceAccountOptions {
  /** Folder with `token` and `ca.crt`. */
  folder: string;
  env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds. */
  now: () => number;
}

/** Whether this process runs in a pod with a service account. */
export function isInCluster({ folder, env }: Pick<ServiceAccountOptions, "folder" | "env">): boolean {
  try {
    return env["KUBERNETES_SERVICE_HOST"] ? readFileSync(join(folder, "token")).length > 0 : false;
  } catch {
    return false;
  }
}

/**
 * The credentials of a pod, without a kubeconfig and what reading one costs. Token and authority are read again when
 * they may have changed; while a file can't be read, what was read last goes on.
 *
 * @throws ConfigError when the address or a file is missing
 */
export function createServiceAccountSource({ folder, env, now }: ServiceAccountOptions): CredentialSource {
  const server = serverOf(env);
  const first = { token: text(folder, "token"), ca: text(folder, "ca.crt") };
  let current = first;
  let at = now();
  let reading: Promise<void> | undefined;

  const read = async (): Promise<void> => {
    try {
      const [token, ca] = await Promise.all([
        readFile(join(folder, "token"), "utf8"),
        readFile(join(folder, "ca.crt"), "utf8"),
      ]);
      // The kubelet replaces both at once, by a symbolic link; an empty file is one that is just being written.
      current = { token: token.trim() || current.token, ca: ca || current.ca };
    } catch {
      // What was read last goes on; if it is too old, the server says so.
    }
    at = now();
  };

  return {
    server,
    proxy: undefined,
    current: async (): Promise<Credentials> => {
      if (now() - at >= FRESH_MS) await (reading ??= read().finally(() => (reading = undefined)));
      return { headers: { authorization: `Bearer ${current.token}` }, tls: { ca: current.ca } };
    },
    invalidate: () => {
      at = -Infinity;
    },
  };
}

function serverOf(env: ServiceAccountOptions["env"]): URL {
  const { KUBERNETES_SERVICE_HOST: host = "", KUBERNETES_SERVICE_PORT: port = "443" } = env;
  const address = `https://${isIPv6(host) ? `[${host}]` : host}:${port}`;
  if (host !== "" && URL.canParse(address)) return new URL(address);
  const why = `KUBERNETES_SERVICE_HOST=${host} and KUBERNETES_SERVICE_PORT=${port} are no address`;
  throw new ConfigError("the service account of this pod", why, FIX);
}

function text(folder: string, name: string): string {
  try {
    const content = readFileSync(join(folder, name), "utf8").trim();
    if (content !== "") return content;
  } catch (cause) {
    throw new ConfigError("the service account of this pod", `${join(folder, name)} can't be read`, FIX, cause);
  }
  throw new ConfigError("the service account of this pod", `${join(folder, name)} is empty`, FIX);
}
