// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { authenticator } from "./authentication.ts";
import type { Context } from "./call.ts";
import { startCollectors } from "./collectors.ts";
import { Converter } from "./conversion.ts";
import { create } from "./create.ts";
import { handler } from "./http.ts";
import { createIdentity } from "./identity.ts";
import { kubeconfig } from "./kubeconfig.ts";
import type { Log } from "./log.ts";
import { Registry } from "./registry.ts";
import { StartError } from "./start-error.ts";
import { Store } from "./store.ts";

export interface ApiServerOptions {
  /** Default 127.0.0.1. */
  host?: string;
  /** Default 0: a free one. */
  port?: number;
  /** Folder for `ca.crt` and `kubeconfig`; made if absent. The kubeconfig holds a private key and is readable by its owner only. */
  dir: string;
  log?: Log;
  /** Time between bookmarks of a watch in ms; default one minute, as on a cluster. */
  bookmarkMs?: number;
  /** Changes that a watch can go back before it is answered 410; default 5000. */
  historySize?: number;
}

export interface ApiServer {
  url: string;
  caPem: string;
  kubeconfigPath: string;
  /** A bearer token of the same user that the kubeconfig has. */
  token: string;
  /** Ends all watches and connections; nothing listens afterwards. */
  stop(): Promise<void>;
}

/** Longer than clients keep an idle connection. */
const KEEP_ALIVE_MS = 300_000;
const NAMESPACES = ["default", "kube-system", "kube-public", "kube-node-lease"];

/**
 * Starts a Kubernetes API on loopback: the subset that kubectl and this project use, in memory, over HTTPS.
 * Rejects with a {@link StartError} when the address is taken or the folder cannot be written.
 * @example
 * const server = await startApiServer({ dir: "/tmp/hot" });
 * // kubectl --kubeconfig /tmp/hot/kubeconfig get pods
 * await server.stop();
 */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { host = "127.0.0.1", port = 0, dir, log = () => {}, bookmarkMs = 60_000 } = options;
  const store = new Store(options.historySize);
  const registry = new Registry(store);
  const context: Context = { store, registry, converter: new Converter(registry), now: () => new Date() };
  await createNamespaces(context);
  const identity = await createIdentity(host);
  const { authenticate, token } = authenticator();
  const stopping = new AbortController();
  const { certPem: cert, keyPem: key } = identity.server;
  const server = createServer(
    { cert, key, ca: identity.caPem, requestCert: true, rejectUnauthorized: false },
    handler({ context, authenticate, log, bookmarkMs, stopping: stopping.signal }),
  );
  // A client must not lose a request because its idle connection is closed at that very moment.
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  await listen(server, port, host);
  const url = `https://${host}:${(server.address() as AddressInfo).port}`;
  const kubeconfigPath = join(dir, "kubeconfig");
  try {
    await mkdir(dir, { recursive: true });
    await writeFile(join(dir, "ca.crt"), identity.caPem);
    await writeFile(kubeconfigPath, kubeconfig(url, identity.caPem, identity.client), { mode: 0o600 });
  } catch (error) {
    server.close();
    throw new StartError("LOCAL_FOLDER", `${dir} cannot be written`, "make it writable or name another folder", error);
  }
  const collectors = startCollectors(context);
  log(`the API is ready at ${url}, kubeconfig ${kubeconfigPath}`);
  return {
    url,
    caPem: identity.caPem,
    kubeconfigPath,
    token,
    async stop() {
      stopping.abort();
      collectors.stop();
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function listen(server: Server, port: number, host: string): Promise<void> {
  try {
    server.listen(port, host);
    await once(server, "listening");
  } catch (error) {
    throw new StartError(
      "LOCAL_ADDRESS",
      `the API cannot listen on ${host}:${port}`,
      "choose another port (0 takes a free one), or stop what has it",
      error,
    );
  }
}

async function createNamespaces(context: Context): Promise<void> {
  const resolved = context.registry.find("", "v1", "namespaces");
  if (!resolved) throw new Error("the table of kinds has no namespaces");
  const user = { username: "system:apiserver", groups: ["system:masters"] };
  const call = {
    resolved,
    namespace: undefined,
    name: undefined,
    subresource: undefined,
    user,
    dryRun: false,
    fieldValidation: "Strict",
    warn: () => {},
  } as const;
  for (const name of NAMESPACES) await create(context, call, { metadata: { name } });
}
