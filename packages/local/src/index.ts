// SPDX-License-Identifier: Apache-2.0
export type { Log } from "./api/log.ts";
export { type ApiServer, type ApiServerOptions, startApiServer } from "./api/server.ts";
export { StartError } from "./api/start-error.ts";
export { CatalogueError, loadCatalogue, type Catalogue, type ImageEntry } from "./catalogue.ts";
export { startNode, type NodeAgent, type NodeOptions } from "./node/agent.ts";
export { startCluster, type Cluster, type ClusterOptions } from "./up.ts";
export { startWorkloads, type WorkloadOptions } from "./workload/start-workloads.ts";
