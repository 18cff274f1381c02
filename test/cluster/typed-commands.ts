// SPDX-License-Identifier: Apache-2.0
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { inject } from "vitest";
import type { Cluster } from "../../tools/cluster/cluster.ts";

/** The shell commands of a page, by section. */
export interface Page {
  /** The blocks of a section, from one heading to the next. A block more or less than expected is an error. */
  blocks(section: string, count: number): string[];
  /** What stands between backticks in a section and begins with this word. */
  inline(section: string, word: string): string[];
}

export function readPage(file: string): Page {
  const sections = readFileSync(file, "utf8")
    .split(/^###? /m)
    .slice(1);
  const text = (section: string): string => {
    const found = sections.find((one) => one.startsWith(`${section}\n`));
    if (found === undefined) throw new RangeError(`${file} has no section "${section}"`);
    return found;
  };
  return {
    blocks(section, count) {
      const found = [...text(section).matchAll(/^( *)```sh\n(.*?)```/gms)];
      if (found.length === count) return found.map(([, , block = ""]) => block);
      throw new RangeError(`"${section}" of ${file} has ${found.length} blocks of commands, and ${count} are tried`);
    },
    inline: (section, word) =>
      [...text(section).matchAll(/`([^`\n]+)`/g)]
        .map(([, command = ""]) => command)
        .filter((one) => one.startsWith(`${word} `)),
  };
}

/** The command lines of a block, one by one; the first that fails ends it, but for those that say `# NotFound`. */
function script(block: string): string {
  const lines = block.split("\n").map((line) => {
    const wanted = /^(.*\S)\s+# NotFound$/.exec(line)?.[1];
    return wanted === undefined ? line : `if ${wanted}; then echo "still there"; exit 1; fi`;
  });
  return ["set -euo pipefail", ...lines].join("\n");
}

const run = promisify(execFile);

/** Types commands at the root of the repository, as the administrator of a cluster; resolves with what they print. */
export async function type(
  on: Pick<Cluster, "kubectlPath" | "kubeconfig">,
  block: string,
  input = "",
): Promise<string> {
  const path = [dirname(on.kubectlPath), dirname(inject("helm")), process.env["PATH"]].join(":");
  const env = { ...process.env, PATH: path, KUBECONFIG: on.kubeconfig };
  const typing = run("bash", ["-c", script(block)], { env, timeout: 240_000, maxBuffer: 1 << 26 });
  typing.child.stdin?.end(input);
  return (await typing).stdout;
}
