// SPDX-License-Identifier: Apache-2.0
import type { RequestOptions } from "node:https";
import type { KubeConfig } from "@kubernetes/client-node";
import type { Credentials, CredentialSource, TlsMaterial } from "./credential-source.ts";
import { hasKubeconfig, loadKubeconfig, type KubeconfigOptions } from "./kubeconfig.ts";
import { createServiceAccountSource, isInCluster, SERVICE_ACCOUNT } from "./service-account.ts";

/** Upper bound of the age of credentials. client-node itself reads a token file at most once in 60 s. */
const FRESH_MS = 10_000;
const RELOAD_MS = 60_000;

export function createCredentialSource(options: KubeconfigOptions, now: () => number): CredentialSource {
  const pod = { folder: options.serviceAccountFolder ?? SERVICE_ACCOUNT, env: process.env, now };
  if (!hasKubeconfig(options) && isInCluster(pod)) return createServiceAccountSource(pod);
  let config = loadKubeconfig(options);
  let loadedAt = now();
  let cached: { at: number; credentials: Promise<Credentials> } | undefined;
  const cluster = config.getCurrentCluster();
  const server = new URL(cluster?.server ?? "");

  const reload = (): void => {
    try {
      config = loadKubeconfig(options);
    } catch {
      // A kubeconfig is not replaced atomically by everybody: go on with the last good one, read it again next time.
    }
    loadedAt = now();
  };

  return {
    server,
    proxy: cluster?.proxyUrl,
    current: async () => {
      if (cached && now() - cached.at < FRESH_MS) return cached.credentials;
      const user = config.getCurrentUser();
      // With an exec plugin or auth provider the KubeConfig holds the plugin's answer until it expires.
      if (!user?.exec && !user?.authProvider && now() - loadedAt >= RELOAD_MS) reload();
      const credentials = lookUp(config);
      cached = { at: now(), credentials };
      credentials.catch(() => (cached = undefined));
      return credentials;
    },
    invalidate: () => {
      if (cached === undefined) return;
      cached = undefined;
      reload();
    },
  };
}

async function lookUp(config: KubeConfig): Promise<Credentials> {
  const options: RequestOptions = { headers: {} };
  const cluster = config.getCurrentCluster();
  // client-node refuses plain http unless TLS verification is off; the address is the user's decision.
  if (cluster?.server.startsWith("http:") && !cluster.skipTLSVerify) {
    Object.assign(cluster, { skipTLSVerify: true });
  }
  await config.applyToHTTPSOptions(options);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    if (value !== undefined) headers[name.toLowerCase()] = String(value).trim(); // a token file ends with a newline
  }
  if (typeof options.auth === "string") {
    headers["authorization"] = `Basic ${Buffer.from(options.auth).toString("base64")}`;
  }
  const { ca, cert, key, servername, rejectUnauthorized } = options;
  const tls: TlsMaterial = {};
  if (ca) tls.ca = pem(ca);
  if (cert) tls.cert = pem(cert);
  if (key) tls.key = pem(key);
  if (servername) tls.servername = servername;
  if (rejectUnauthorized !== undefined) tls.rejectUnauthorized = rejectUnauthorized;
  return { headers, tls };
}

/** client-node gives the text of an exec plugin, or the bytes of a file. */
function pem(value: unknown): string {
  return Buffer.isBuffer(value) ? value.toString("utf8") : String(value);
}
