// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from "node:fs";
import { systemClock, type Api, type Clock } from "@hot/kube";
import type { Catalogue } from "../catalogue.ts";
import { checkLoopback } from "./address.ts";
import { Images } from "./images.ts";
import { startKubelet, type Kubelet } from "./kubelet.ts";
import { registerNode } from "./node-object.ts";
import { Runtime } from "./runtime.ts";

export interface NodeOptions {
  api: Api;
  /** Folder of the node, for work folders and logs; it is created. */
  dir: string;
  catalogue: Catalogue;
  /** Name of the Node object; pods with this `spec.nodeName` run here. Default `local`. */
  nodeName?: string;
  clock?: Clock;
  /** One line per thing that a person who looks for a cause wants to know. */
  log?: (line: string) => void;
}

export interface NodeAgent {
  /** The kubelet dies as by SIGKILL: hooks and probes are cut, containers go on, nobody reports. */
  crash(): void;
  /** A kubelet starts again after `crash`: it takes over the containers that run, and runs no hook a second time. */
  restart(): Promise<void>;
  /** Ends all containers (TERM, KILL after 2 s) and removes their folders. */
  stop(): Promise<void>;
}

/** The node listens and speaks for itself on this address. */
const HOST_IP = "127.0.0.1";
const STOP_GRACE_MS = 2_000;

/** Starts a node which runs containers as processes of this user. Rejects when this machine cannot do that. */
export async function startNode(options: NodeOptions): Promise<NodeAgent> {
  const { api, dir, catalogue, nodeName = "local", clock = systemClock, log = () => undefined } = options;
  await checkLoopback();
  mkdirSync(dir, { recursive: true });
  const runtime = new Runtime({ dir, clock });
  const start = async (): Promise<Kubelet> => {
    const parts = { api, runtime, images: new Images(catalogue, clock), clock, hostIP: HOST_IP, log };
    await registerNode(api, nodeName, HOST_IP, clock.now());
    return startKubelet(parts, nodeName, stopping.signal);
  };
  const stopping = new AbortController();
  let kubelet: Kubelet | undefined;
  try {
    kubelet = await start();
  } catch (error) {
    await runtime.close(0);
    throw error;
  }
  return {
    crash: () => {
      kubelet?.crash();
      kubelet = undefined;
    },
    restart: async () => {
      kubelet?.crash();
      kubelet = await start();
    },
    stop: async () => {
      stopping.abort();
      kubelet?.crash();
      kubelet = undefined;
      await runtime.close(STOP_GRACE_MS);
    },
  };
}
