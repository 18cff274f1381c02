// SPDX-License-Identifier: Apache-2.0
// A cluster that somebody else has made (kind, minikube, …): what has to be there before its tests begin.
import { execFileSync, spawnSync } from "node:child_process";
import { connect } from "node:net";
import { join } from "node:path";
import { provide } from "../../tools/cluster/binaries.ts";
import { catalogue, fullNames } from "../../tools/image/catalogue.ts";

interface List<T> {
  items: T[];
}
interface Node {
  status: { images?: { names?: string[] }[] };
}
interface Pod {
  status: { podIP?: string; conditions?: { type: string; status: string }[] };
}

/** A kubelet names no more images than this, the largest first. */
const MOST_IMAGES = 50;

/** The helm program: the one on the path, else one that is built. */
export function findHelm(say: (sentence: string) => void): string {
  return spawnSync("helm", ["version"]).status === 0 ? "helm" : join(provide("helm", say), "helm");
}

/** @throws Error that says which images are on no node, and how they get there. */
export function requireImages(kubeconfig: string): void {
  const { items } = read<Node>(kubeconfig, ["get", "nodes"]);
  const known = items.map(({ status: { images = [] } }) => images.flatMap(({ names = [] }) => names));
  const full = items.some(({ status: { images = [] } }) => images.length >= MOST_IMAGES);
  const wanted = catalogue("dev")
    .map(({ name }) => name)
    // the sandbox image is the cluster's own affair, and small images are not named on a node with many
    .filter((name) => !name.startsWith("pause:") && !(full && /standby|:empty/.test(name)));
  const missing = wanted.filter((name) =>
    known.some((names) => !fullNames(name).some((fullName) => names.includes(fullName))),
  );
  if (missing.length === 0) return;
  throw new Error(
    `the cluster of ${kubeconfig} has not these images on every node: ${missing.join(", ")}\n` +
      "  fix: pnpm image load, which makes an archive of all and prints the command for kind:\n" +
      "       kind load image-archive build/images/hot-images.tar\n" +
      "       (minikube image load FILE; elsewhere on each node: ctr -n k8s.io images import FILE)",
  );
}

/** @throws Error when the addresses of pods are not reached from this machine. */
export async function requirePodNetwork(kubeconfig: string): Promise<void> {
  const { items } = read<Pod>(kubeconfig, ["get", "pods", "-n", "hot-system", "-l", "app.kubernetes.io/name=hot"]);
  const ready = items.find(({ status }) =>
    status.conditions?.some((one) => one.type === "Ready" && one.status === "True"),
  );
  const address = ready?.status.podIP ?? "";
  if (await reaches(address, 8081)) return;
  throw new Error(
    `the pod at ${address} is not reached from this machine, through which the load of the tests goes\n` +
      "  fix: a route to the pods, for kind on Linux one for each node:\n" +
      `       ip route add "$(kubectl get node NODE -o jsonpath={.spec.podCIDR})" via ADDRESS_OF_NODE`,
  );
}

function reaches(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 5000 });
    const end = (found: boolean): void => {
      socket.destroy();
      resolve(found);
    };
    socket.once("connect", () => end(true));
    socket.once("timeout", () => end(false));
    socket.once("error", () => end(false));
  });
}

function read<T>(kubeconfig: string, args: readonly string[]): List<T> {
  const env = { ...process.env, KUBECONFIG: kubeconfig };
  try {
    const text = execFileSync("kubectl", [...args, "-o", "json"], { env, encoding: "utf8", maxBuffer: 1 << 26 });
    return JSON.parse(text) as List<T>;
  } catch (error) {
    throw new Error(`kubectl cannot read the cluster of ${kubeconfig}: ${(error as Error).message}`, { cause: error });
  }
}
