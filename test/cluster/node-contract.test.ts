// SPDX-License-Identifier: Apache-2.0
// The tests that say what @hot/local's node does are true of a real kubelet. They kill it, so they get a cluster of their
// own.
import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { connect } from "@hot/kube";
import { afterAll, describe } from "vitest";
import { nodeContract } from "../../packages/local/test/node-contract/contract.ts";
import { imageOf, SCRIPTS, type NodeTarget } from "../../packages/local/test/node-contract/target.ts";
import { down, up } from "../../tools/cluster/cluster.ts";
import { projectImages } from "../../tools/cluster/installation.ts";
import { writeArchive } from "../../tools/image/archive.ts";
import { librariesOf, userFiles } from "../../tools/image/base-layer.ts";
import { createImage, createLayer, type Image } from "../../tools/image/oci.ts";
import type { TarEntry } from "../../tools/image/tar.ts";
import { own, unique } from "./kit.ts";

const NODE = "n1";
const run = promisify(execFile);

/** Images of the contract: a shell, what its scripts call, and a folder to write to. */
function images(): Image[] {
  const programs = ["sh", "sleep", "cat", "unlink"];
  const paths = programs.map((name) => execFileSync("which", [name], { encoding: "utf8" }).trim());
  const file = (path: string, source: string): TarEntry => ({ path, mode: 0o755, data: readFileSync(source) });
  const layer = createLayer(
    [
      ...userFiles,
      { path: "work", mode: 0o1777 },
      ...programs.map((name, at) => file(`usr/local/bin/${name}`, paths[at] ?? "")),
      ...librariesOf(paths).map((path) => file(path.slice(1), path)),
    ],
    false,
  );
  return Object.entries(SCRIPTS).map(([tag, image]) =>
    createImage(imageOf(tag as keyof typeof SCRIPTS), process.arch, [layer], {
      entrypoint: ["/usr/local/bin/sh", "-c", image.script],
      workingDir: "/work",
      ...("env" in image && { env: image.env }),
    }),
  );
}

describe.runIf(own)("on a real kubelet", () => {
  const name = unique("node");
  afterAll(() => down(name));

  nodeContract(async (): Promise<NodeTarget> => {
    const cluster = await up({ name, images: await projectImages() });
    const folder = mkdtempSync(join(tmpdir(), "hot-contract-images-"));
    try {
      const archive = join(folder, "images.tar");
      writeArchive(archive, images(), process.arch);
      cluster.load(archive);
    } finally {
      rmSync(folder, { recursive: true });
    }
    const { kubeconfig } = cluster;
    const env = { ...process.env, KUBECONFIG: kubeconfig };
    return {
      api: connect({ kubeconfig, userAgent: "hot-test" }),
      nodeName: NODE,
      exec: async ({ metadata: { name: pod = "", namespace = "" } }, container, script) => {
        const what = ["exec", pod, "-n", namespace, "-c", container, "--", "sh", "-c", script];
        return (await run(cluster.kubectlPath, what, { env })).stdout;
      },
      crash: () => cluster.end(`kubelet-${NODE}`, "SIGKILL"),
      restart: () => cluster.start(`kubelet-${NODE}`),
    };
  });
});
