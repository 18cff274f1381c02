// SPDX-License-Identifier: Apache-2.0
import type { Api, Clock } from "@hot/kube";
import type { Images } from "./images.ts";
import type { Runtime } from "./runtime.ts";

/** What all pods of a node share. */
export interface NodeParts {
  api: Api;
  runtime: Runtime;
  images: Images;
  clock: Clock;
  hostIP: string;
  log: (line: string) => void;
}
