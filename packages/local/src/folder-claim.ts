// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { StartError } from "./api/start-error.ts";
import { startTimeOf } from "./node/process.ts";

/**
 * Makes `dir` and claims it for this process, until the claim is disposed of: a second cluster in the folder of one that
 * runs would end its containers and overwrite its kubeconfig. The claim of a process that is gone counts no more.
 */
export function claimFolder(dir: string): Disposable {
  const file = join(dir, "owner");
  try {
    mkdirSync(dir, { recursive: true });
    const [pid = "", started] = ownerIn(file);
    if (started !== undefined && startTimeOf(Number(pid)) === started) {
      throw new StartError(
        "LOCAL_FOLDER",
        `${dir} cannot be used`,
        "stop that cluster or name another folder",
        new Error(`process ${pid} runs a cluster in it`),
      );
    }
    writeFileSync(file, `${process.pid} ${startTimeOf(process.pid) ?? ""}`);
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError("LOCAL_FOLDER", `${dir} cannot be written`, "make it writable or name another folder", error);
  }
  return { [Symbol.dispose]: () => rmSync(file, { force: true }) };
}

function ownerIn(file: string): string[] {
  try {
    return readFileSync(file, "utf8").split(" ");
  } catch {
    return [];
  }
}
