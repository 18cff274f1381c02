// SPDX-License-Identifier: Apache-2.0
import type { Pod, SidecarSet } from "@hot/spec";
import type { AdmissionRequest } from "../src/admission.ts";

/** A review as an API server sends it, with the fields that this program does not read. */
export function podReview(pod: Partial<Pod> & { metadata?: object }, request: Partial<AdmissionRequest> = {}): object {
  const kind = { group: "", version: "v1", kind: "Pod" };
  const resource = { group: "", version: "v1", resource: "pods" };
  return {
    kind: "AdmissionReview",
    apiVersion: "admission.k8s.io/v1",
    request: {
      uid: "705ab4f5-6393-11e8-b7cc-42010a800002",
      kind,
      resource,
      requestKind: kind,
      requestResource: resource,
      namespace: "shop",
      operation: "CREATE",
      userInfo: {
        username: "system:serviceaccount:kube-system:replicaset-controller",
        groups: ["system:authenticated"],
      },
      object: { kind: "Pod", apiVersion: "v1", ...pod },
      oldObject: null,
      dryRun: false,
      options: { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1" },
      ...request,
    },
  };
}

export function requestOf(review: object): AdmissionRequest {
  return (review as { request: AdmissionRequest }).request;
}

export function sidecarSetRequest(object: unknown, request: Partial<AdmissionRequest> = {}): AdmissionRequest {
  const version = (object as { apiVersion?: string } | null)?.apiVersion?.split("/")[1] ?? "v1beta1";
  return {
    uid: "0c5a1b9e-1111-4222-8333-944455566677",
    kind: { group: "apps.kruise.io", version, kind: "SidecarSet" },
    resource: { group: "apps.kruise.io", version, resource: "sidecarsets" },
    name: "mesh",
    operation: "CREATE",
    object,
    ...request,
  };
}

/** A pod of a Deployment: the API server has not chosen its name yet. */
export function aPod(...containers: string[]): Partial<Pod> {
  return {
    metadata: { generateName: "web-5d4f-", labels: { app: "web" } },
    spec: { containers: ["main", ...containers].map((name) => ({ name, image: "i:1" })) },
  };
}

export function aSidecarSet(name = "mesh"): SidecarSet {
  return {
    apiVersion: "apps.kruise.io/v1beta1",
    kind: "SidecarSet",
    metadata: {
      name,
      uid: `uid-${name}`,
      annotations: { "kruise.io/sidecarset-hash": "h", "kruise.io/sidecarset-hash-without-image": "c" },
    },
    spec: {
      selector: { matchLabels: { app: "web" } },
      containers: [
        {
          name: "proxy",
          image: "proxy:1",
          upgradeStrategy: { upgradeType: "HotUpgrade", hotUpgradeEmptyImage: "empty:1" },
          readinessProbe: { exec: { command: ["/hot-standby", "probe"] } },
        },
      ],
    },
  };
}
