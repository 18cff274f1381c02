// SPDX-License-Identifier: Apache-2.0
export { CatalogueError, loadCatalogue, type Catalogue, type ImageEntry } from "./catalogue.ts";
export { startNode, type NodeAgent, type NodeOptions } from "./node/agent.ts";
