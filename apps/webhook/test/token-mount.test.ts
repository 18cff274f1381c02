// SPDX-License-Identifier: Apache-2.0
import { applyPatch } from "@hot/inject";
import type { Container, Pod, VolumeMount } from "@hot/spec";
import { expect, test } from "vitest";
import { decidePod } from "../src/handlers/pod.ts";
import { aSidecarSet, podReview, requestOf } from "./reviews.ts";

const PATH = "/var/run/secrets/kubernetes.io/serviceaccount";
const VOLUME = "kube-api-access-x7k2p";
/** What the ServiceAccount plugin of the API server gives each container that has no mount of this path. */
const token: VolumeMount = { name: VOLUME, readOnly: true, mountPath: PATH };
const own: VolumeMount = { name: "own-token", mountPath: PATH };
const data: VolumeMount = { name: "data", mountPath: "/data" };

const container = (name: string, ...volumeMounts: VolumeMount[]): Container => ({ name, image: "i:1", volumeMounts });

/** A pod as the API server sends it: its ServiceAccount plugin has been there already. */
function pod(containers: Container[], spec: Partial<Pod["spec"]> = {}): Pod {
  const volumes = [
    { name: "data", emptyDir: {} },
    { name: VOLUME, projected: { sources: [] } },
  ];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web-0", namespace: "shop", labels: { app: "web" } },
    spec: { volumes, containers, ...spec },
  };
}

function admitted(asked: Pod, sidecarSet = aSidecarSet()): Pod {
  const { patch = [] } = decidePod(requestOf(podReview(asked)), {
    sidecarSets: [sidecarSet],
    revisions: [],
    namespace: { name: "shop" },
    failurePolicy: "Fail",
    now: "2026-01-02T03:04:05Z",
  });
  return applyPatch<Pod>(asked, patch);
}

const mounts = (of: Pod): Record<string, VolumeMount[]> =>
  Object.fromEntries(
    [...(of.spec.initContainers ?? []), ...of.spec.containers].map((one) => [one.name, one.volumeMounts ?? []]),
  );

test("injected containers get the mount that the API server would add to them, after their own", () => {
  const sidecarSet = aSidecarSet();
  sidecarSet.spec.volumes = [{ name: "run", emptyDir: {} }];
  for (const one of sidecarSet.spec.containers ?? []) one.volumeMounts = [{ name: "run", mountPath: "/run/mesh" }];
  sidecarSet.spec.initContainers = [{ name: "setup", image: "i:1" }];
  const after = mounts(admitted(pod([container("main", data, token)]), sidecarSet));
  const run = { name: "run", mountPath: "/run/mesh" };
  expect(after).toEqual({ setup: [token], main: [data, token], "proxy-1": [run, token], "proxy-2": [run, token] });
});

test("so the second pass of that plugin changes nothing, and the webhook is not asked again", () => {
  const after = admitted(pod([container("main", token)]));
  expect(Object.values(mounts(after)).every((all) => all.some(({ mountPath }) => mountPath === PATH))).toBe(true);
  // Asked again for another reason, it has nothing to add.
  expect(admitted(after)).toEqual(after);
});

test("a mount of one's own at that path is the container's, here as there", () => {
  const after = mounts(admitted(pod([container("main", own), container("other", token)])));
  expect(after).toMatchObject({ main: [own], other: [token], "proxy-1": [token], "proxy-2": [token] });
});

test.each([
  ["the token is not mounted", pod([container("main", data)], { volumes: [] })],
  [
    "the pod wants none, whatever its volumes are called",
    pod([container("main", token)], { automountServiceAccountToken: false }),
  ],
  [
    "one container lacks it: the API server leaves none without",
    pod([container("main", token), container("other", data)]),
  ],
  ["an init container lacks it", pod([container("main", token)], { initContainers: [container("first", data)] })],
  ["all have only mounts of their own", pod([container("main", own)])],
  ["a mount that is not the API server's", pod([container("main", { ...token, readOnly: false })])],
])("nothing is added if %s", (_what, asked) => {
  const after = mounts(admitted(asked));
  expect(after).toMatchObject({ "proxy-1": [], "proxy-2": [] });
});
