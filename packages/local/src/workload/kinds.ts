// SPDX-License-Identifier: Apache-2.0
import type { Resource } from "@hot/kube";

export const PODS: Resource = { group: "", version: "v1", plural: "pods", namespaced: true };
export const BINDINGS: Resource = { group: "", version: "v1", plural: "bindings", namespaced: true };
export const DEPLOYMENTS: Resource = { group: "apps", version: "v1", plural: "deployments", namespaced: true };
