// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import type { Pod } from "@hot/spec";
import { cluster } from "./kit.ts";
import { statusOf } from "./pod-history.ts";

/** The environment that the main process of a running container was started with, whatever is in its image. */
export function containerEnv(pod: Pod, container: string): Record<string, string> {
  const id = (statusOf(pod, container)?.containerID ?? "").replace("containerd://", "");
  const [file = "", ...args] = cluster().ctr(cluster().nodes[0] ?? "", ["tasks", "ls"]);
  const tasks = execFileSync(file, args, { encoding: "utf8" }).split("\n");
  const pid = tasks.find((line) => line.startsWith(id))?.split(/\s+/)[1];
  if (id === "" || pid === undefined) throw new Error(`${container} has no task; the tasks are:\n${tasks.join("\n")}`);
  const variables = cluster()
    .run(["cat", `/proc/${pid}/environ`])
    .split("\0");
  return Object.fromEntries(
    variables.filter((one) => one.includes("=")).map((one) => [one.split("=", 1)[0], one.slice(one.indexOf("=") + 1)]),
  );
}
