// SPDX-License-Identifier: Apache-2.0
// ADR 13 on a real API server: the token mount of injected containers is the one that it makes itself, and it asks once.
import { RESOURCES, type KubeObject } from "@hot/kube";
import type { Pod } from "@hot/spec";
import { expect, test } from "vitest";
import { api, apply, EMPTY, kubectl, namespace, own, sidecarSet, unique, until } from "./kit.ts";

const PATH = "/var/run/secrets/kubernetes.io/serviceaccount";

/** How often the API server has called the webhook for pods. */
function calls(): number {
  return kubectl(["get", "--raw", "/metrics"])
    .split("\n")
    .filter((line) => line.startsWith("apiserver_admission_webhook_admission_duration_seconds_count{"))
    .filter((line) => line.includes('name="pods.hot.internal"'))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}

test.skipIf(!own)("a pod with an account token is sent once, and all its containers have the token", async () => {
  const ns = await namespace();
  apply(sidecarSet({ name: unique("token"), namespace: ns }));
  const asked: Pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web", namespace: ns, labels: { app: "web" } },
    spec: { containers: [{ name: "app", image: EMPTY }] },
  };
  const admitted = (): Promise<Pod> => api().create<Pod & KubeObject>(RESOURCES.pods, asked, { dryRun: true });
  // Every replica hears of it in a moment of its own.
  await until("all replicas know the SidecarSet", async () => {
    const some = [await admitted(), await admitted(), await admitted(), await admitted(), await admitted()];
    return some.every(({ spec }) => spec.containers.length === 3);
  });

  const before = calls();
  const { spec } = await admitted();
  expect(calls() - before).toBe(1);
  const volume = spec.volumes?.find(({ name }) => name.startsWith("kube-api-access-"));
  const token = { name: volume?.name, readOnly: true, mountPath: PATH };
  expect(spec.containers.map(({ name, volumeMounts }) => [name, volumeMounts])).toEqual([
    ["sidecar-1", [token]],
    ["sidecar-2", [token]],
    ["app", [token]],
  ]);
});
