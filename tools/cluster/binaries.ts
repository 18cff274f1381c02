// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { ClusterError } from "./cluster-error.ts";

const VERSION = "v1.36.3";
const STRIP = "-s -w";
const STAMP = "k8s.io/component-base/version";

/** A program that is a Go tool of a small module below `go/`: which packages, and how they are linked. */
interface Tool {
  packages: readonly string[];
  ldflags: string;
}

const TOOLS = {
  kubernetes: {
    packages: ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet", "kubectl"].map(
      (name) => `k8s.io/kubernetes/cmd/${name}`,
    ),
    ldflags: `${STRIP} -X ${STAMP}.gitVersion=${VERSION} -X ${STAMP}.gitMajor=1 -X ${STAMP}.gitMinor=36`,
  },
  etcd: { packages: ["go.etcd.io/etcd/server/v3"], ldflags: STRIP },
  helm: { packages: ["helm.sh/helm/v3/cmd/helm"], ldflags: STRIP },
} as const satisfies Record<string, Tool>;

export type ToolName = keyof typeof TOOLS;

export const isToolName = (name: string): name is ToolName => Object.hasOwn(TOOLS, name);

/** The folder in which this user's downloads and builds are kept between runs. */
export function cacheFolder(): string {
  return join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "hot");
}

/**
 * The folder with the programs of a module, built the first time. Its name holds the module's checksums, so that a
 * changed version is another folder; two builds at once are fine, the first one to finish is kept.
 */
export function provide(name: ToolName, say: (sentence: string) => void): string {
  const module = join(import.meta.dirname, "go", name);
  const key = createHash("sha256");
  for (const file of ["go.mod", "go.sum"]) key.update(readFileSync(join(module, file)));
  const { packages, ldflags } = TOOLS[name];
  key.update(ldflags);
  const target = join(cacheFolder(), `${name}-${key.digest("hex").slice(0, 12)}`);
  if (existsSync(target)) return target;

  say(`building ${name} (once; Kubernetes takes some minutes)`);
  mkdirSync(cacheFolder(), { recursive: true });
  const temporary = mkdtempSync(join(cacheFolder(), "tmp-"));
  try {
    // A package alone may be called after its version, such as `v3`; with several the folder's end is told by its "/".
    const out = packages.length === 1 ? join(temporary, name) : `${temporary}/`;
    const flags = ["-trimpath", "-buildvcs=false", "-mod=readonly", "-ldflags", ldflags, "-o", out];
    const { status, stderr, error } = spawnSync("go", ["build", "-C", module, ...flags, ...packages], {
      encoding: "utf8",
      env: { ...process.env, CGO_ENABLED: "0" },
    });
    if (status !== 0) {
      const cause = error?.message ?? stderr.trim().split("\n").slice(-5).join("\n       ");
      throw new ClusterError(`${name} could not be built`, cause, "check `go version` (1.26) and the module proxy");
    }
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    if (error instanceof ClusterError || !existsSync(target)) throw error;
  }
  return target;
}

/** The Kubernetes that can be built here, as `kubectl version` prints it. */
export const KUBERNETES_VERSION = VERSION;
