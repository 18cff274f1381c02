// SPDX-License-Identifier: Apache-2.0
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";
import { demoImages, root } from "../../apps/demo/src/images.ts";
import { startPlatform } from "../../apps/demo/src/platform.ts";

const run = promisify(execFile);

/** The walk of the sample with the real kubectl, on the embedded cluster with the real webhook application in it. */
export async function kubectlWalk(program: string): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "hot-kubectl-"));
  const platform = await startPlatform({ dir, images: demoImages() });
  const kubectl = async (...args: string[]): Promise<string> => {
    const flags = ["--kubeconfig", platform.kubeconfigPath, "--cache-dir", join(dir, "cache")];
    return (await run(program, [...flags, ...args])).stdout;
  };
  const image = (side: string): string =>
    `jsonpath={.items[*].spec.containers[?(@.name=="sidecar-${side}")].image} {.items[*].status.phase}`;
  try {
    const files = ["1-sidecarset.yaml", "2-deployment.yaml"].flatMap((name) => [
      "-f",
      join(root, "samples", "hotupgrade", name),
    ]);
    expect(await kubectl("apply", ...files)).toBe(
      "sidecarset.apps.kruise.io/mesh created\ndeployment.apps/web created\n",
    );
    // Of a custom resource kubectl sends the containers again, because of their defaults; that is no new generation.
    expect(await kubectl("apply", ...files)).toContain("deployment.apps/web unchanged");
    expect(await kubectl("get", "scs/mesh", "-o", "jsonpath={.metadata.generation}")).toBe("1");
    await kubectl("scale", "deployment/web", "--replicas=1");
    await kubectl("rollout", "status", "deployment/web", "--timeout=60s");
    // Pods on their way out are listed, too.
    await expect.poll(() => kubectl("get", "pods", "-o", "name"), { timeout: 60_000 }).toMatch(/^pod\/\S+\n$/);
    await kubectl("wait", "sidecarset/mesh", "--for=condition=Ready", "--timeout=60s");
    expect(await kubectl("get", "pods", "-l", "app=web", "-o", image("1"))).toContain("hot/sidecar-demo:v1 Running");
    // What the user sees of it: the columns of the definition, by its short name.
    const [header = "", row = ""] = (await kubectl("get", "scs")).split("\n");
    expect(header.split(/\s+/).slice(0, 6)).toEqual(["NAME", "MATCHED", "UPDATED", "READY", "STATUS", "AGE"]);
    expect(row.split(/\s+/).slice(0, 4)).toEqual(["mesh", "1", "1", "1"]);

    const explained = await kubectl("explain", "sidecarset.status.conditions");
    for (const field of ["lastTransitionTime", "observedGeneration", "reason", "message"])
      expect(explained).toContain(field);
    expect(await kubectl("explain", "scs.spec.updateStrategy.hotUpgrade")).toContain("progressDeadlineSeconds");

    const change = [{ op: "replace", path: "/spec/containers/0/image", value: "hot/sidecar-demo:v2" }];
    await kubectl("patch", "scs", "mesh", "--type=json", "-p", JSON.stringify(change));
    await kubectl("wait", "sidecarset/mesh", "--for=jsonpath={.status.updatedReadyPods}=1", "--timeout=60s");
    await kubectl("wait", "sidecarset/mesh", "--for=condition=Ready", "--timeout=60s");
    expect(await kubectl("get", "pods", "-l", "app=web", "-o", image("2"))).toContain("hot/sidecar-demo:v2 Running");
    // A refusal of our webhook is what kubectl prints.
    const wrong = ["patch", "scs", "mesh", "--type=merge", "-p", '{"spec":{"updateStrategy":{"type":"Sometimes"}}}'];
    await expect(kubectl(...wrong)).rejects.toThrow(/spec\.updateStrategy\.type/);

    await kubectl("delete", ...files, "--timeout=60s");
    await kubectl("wait", "pods", "-l", "app=web", "--for=delete", "--timeout=60s");
    expect(await kubectl("get", "scs,deployments,pods", "-o", "name")).toBe("");
  } finally {
    await platform.stop();
    await rm(dir, { recursive: true, force: true });
  }
}
