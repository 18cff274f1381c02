// SPDX-License-Identifier: Apache-2.0
import { ApiError, type Api, type Resource } from "@hot/kube";
import { timestamp } from "./timestamp.ts";

const NODES: Resource = { group: "", version: "v1", plural: "nodes", namespaced: false };

/** Makes the Node object as a kubelet does, or finds the one that an earlier start made. */
export async function registerNode(api: Api, name: string, address: string, now: number): Promise<void> {
  const time = timestamp(now);
  const node = {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      labels: {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": process.platform,
        "kubernetes.io/arch": process.arch,
      },
    },
    spec: {},
    status: {
      addresses: [
        { type: "InternalIP", address },
        { type: "Hostname", address: name },
      ],
      conditions: [
        {
          type: "Ready",
          status: "True",
          reason: "KubeletReady",
          message: "the local node runs containers as processes",
          lastHeartbeatTime: time,
          lastTransitionTime: time,
        },
      ],
    },
  };
  try {
    await api.create(NODES, node);
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 409)) throw error;
  }
}
