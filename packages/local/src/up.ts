// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { connect, type Api } from "@hot/kube";
import type { Log } from "./api/log.ts";
import { startApiServer } from "./api/server.ts";
import { loadCatalogue, type Catalogue } from "./catalogue.ts";
import { claimFolder } from "./folder-claim.ts";
import { startNode } from "./node/agent.ts";
import { startWorkloads } from "./workload/start-workloads.ts";

export interface ClusterOptions {
  /** Folder of the cluster: kubeconfig, and the node's work folders and logs. Made if absent; one cluster per folder. */
  dir: string;
  /** What the node can run, or the YAML or JSON file that says so. */
  images: Catalogue | string;
  /** Port of the API on 127.0.0.1; default: a free one. */
  apiPort?: number;
  log?: Log;
}

export interface Cluster extends AsyncDisposable {
  /** Of the API, `https://127.0.0.1:<port>`. */
  url: string;
  kubeconfigPath: string;
  dir: string;
  /** A client with all rights. */
  api: Api;
  /** Ends all containers, then everything else; no process, socket or shared memory is left. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Starts a whole cluster in this process: a Kubernetes API on loopback, Deployments and scheduling, and one node named
 * `local` whose containers are processes of this user.
 *
 * Rejects with one error that says what to do (a `CatalogueError`, a `StartError`, or a machine that cannot run pods), and
 * then leaves nothing running.
 *
 * @example
 * await using cluster = await startCluster({ dir: "/tmp/hot", images: "images.yaml" });
 * // kubectl --kubeconfig /tmp/hot/kubeconfig get pods
 */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { dir, images, apiPort = 0, log = () => undefined } = options;
  const catalogue = loadCatalogue(images);
  const stack = new AsyncDisposableStack();
  try {
    stack.use(claimFolder(dir));
    const server = await startApiServer({ dir, port: apiPort, log });
    stack.defer(() => server.stop());
    const api = stack.use(connect({ kubeconfig: server.kubeconfigPath, userAgent: "hot-local" }));
    const workloads = startWorkloads({ api, log });
    stack.defer(() => workloads.stop());
    const node = await startNode({ api, dir: join(dir, "node"), catalogue, log });
    stack.defer(() => node.stop());
    const stop = (): Promise<void> => stack.disposeAsync();
    return { url: server.url, kubeconfigPath: server.kubeconfigPath, dir, api, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}
