// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { onTestFinished } from "vitest";
import { folder } from "../native/descriptors.ts";
import { eventually, Program } from "./programs.ts";

/**
 * A real systemd with these units and no others, as a manager of user services; root only. It has namespaces of its
 * own: for processes, so that all of them end with it, for /run, and for control groups below one of its own.
 */
export function systemd(units: Readonly<Record<string, readonly string[]>>): Program {
  const dir = folder();
  const group = basename(dir);
  for (const [name, lines] of Object.entries(units)) writeFileSync(join(dir, name), `${lines.join("\n")}\n`);
  mkdirSync(join(dir, "group"));
  // The shell stays PID 1: systemd itself must not be, or it would want to boot.
  const inner = `
    mount -t cgroup2 none /sys/fs/cgroup && mount -t tmpfs tmpfs /run || exit 1
    mkdir -p /run/systemd/system && mkdir -m 700 /run/user
    XDG_RUNTIME_DIR=/run/user /lib/systemd/systemd --user
    exit $?`;
  const outer = `
    mount -t cgroup2 none ${dir}/group && mkdir ${dir}/group/${group} || exit 1
    echo 0 > ${dir}/group/${group}/cgroup.procs && exec unshare -C sh -c "$INNER"`;
  onTestFinished(async () => {
    const remove = `mount -t cgroup2 none ${dir}/group && find ${dir}/group/${group} -depth -type d -exec rmdir {} +`;
    await eventually(
      "the control groups are empty",
      () => spawnSync("unshare", ["-m", "sh", "-c", remove]).status === 0,
    );
  });
  const env = {
    ...process.env,
    INNER: inner,
    SYSTEMD_UNIT_PATH: dir,
    XDG_CONFIG_HOME: dir,
    SYSTEMD_LOG_TARGET: "console",
  };
  const args = ["-m", "-p", "-f", "--kill-child", "--mount-proc", "sh", "-c", outer];
  return new Program("unshare", args, { env, killSignal: "SIGKILL" });
}
