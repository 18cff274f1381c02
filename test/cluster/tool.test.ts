// SPDX-License-Identifier: Apache-2.0
// The tool that makes the test cluster: what it starts, it also takes away.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { down, find, up, type Cluster } from "../../tools/cluster/cluster.ts";
import { projectImages } from "../../tools/cluster/installation.ts";
import { cgroupRoots } from "../../tools/cluster/requirements.ts";
import { cluster as shared, own, unique } from "./kit.ts";

/** Everything on the machine that carries the cluster's name, folder or link. */
function traces({ name, folder, at }: Cluster): string[] {
  const processes = readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && commandLine(pid).includes(`${folder}/`));
  return [
    ...processes.map((pid) => `process ${pid}: ${commandLine(pid).slice(0, 120)}`),
    ...readFileSync("/proc/mounts", "utf8")
      .split("\n")
      .filter((line) => line.includes(`${folder}/`)),
    ...cgroupRoots()
      .map((root) => join(root, `hot-${name}`))
      .filter(existsSync),
    ...[`/sys/class/net/${at.link}`, folder, `${folder}.lock`].filter(existsSync),
  ];
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return ""; // it has just ended
  }
}

test.skipIf(!own)(
  "a second cluster runs beside the first, goes on after a kill, and `down` leaves nothing",
  async () => {
    const name = unique("t");
    const images = await projectImages();
    onTestFinished(() => down(name));
    const second = await up({ name, images });
    expect(second.at.link).not.toBe(shared().at.link);
    expect(second.kubectl(["get", "nodes", "-o", "name"]).trim()).toBe("node/n1");
    expect(traces(second).length).toBeGreaterThan(5);

    const kubelet = second.processes.pid("kubelet-n1");
    await second.end("kubelet-n1", "SIGKILL");
    await second.end("apiserver", "SIGKILL");
    const again = await up({ name, images });
    expect(again.processes.pid("etcd")).toBe(second.processes.pid("etcd"));
    expect(again.processes.pid("kubelet-n1")).not.toBe(kubelet);
    expect(again.kubectl(["get", "--raw", "/readyz"])).toBe("ok");

    await down(name);
    expect(traces(second)).toEqual([]);
    expect(find(name)).toBeUndefined();
    await down(name);
    expect(shared().kubectl(["get", "--raw", "/readyz"])).toBe("ok");
  },
);

test.skipIf(!own)("what cannot be started is refused with cause and fix", async () => {
  await expect(up({ name: "Bad Name", images: [] })).rejects.toThrow(
    /a name has up to 20 .*\n\s+fix: pnpm cluster up/s,
  );
  await expect(up({ name: "many", nodes: 9, images: [] })).rejects.toThrow(/there are 1 to 8 nodes/);
});
