// SPDX-License-Identifier: Apache-2.0
// The tests that say what @hot/local's API does are true of the real one. They define and delete the CRD that the chart
// installs on the shared cluster, so they get a cluster of their own.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { down, up } from "../../tools/cluster/cluster.ts";
import { own, unique } from "./kit.ts";

const ROOT = join(import.meta.dirname, "..", "..");

interface Report {
  success: boolean;
  numPassedTests: number;
  numFailedTests: number;
}

/** Runs vitest to its end; resolves with the exit code and all that it said. */
function vitest(args: readonly string[], variables: Record<string, string>): Promise<{ code: number; said: string }> {
  // Not this run's own: a worker's variables and the conditions with which it resolves.
  const inherited = Object.entries(process.env).filter(([name]) => !/^VITEST|^NODE_OPTIONS$|^KUBECONFIG$/.test(name));
  return new Promise((resolve) => {
    const program = join(ROOT, "node_modules", "vitest", "vitest.mjs");
    const child = execFile(
      process.execPath,
      [program, ...args],
      { cwd: ROOT, env: { ...Object.fromEntries(inherited), ...variables }, maxBuffer: 64 * 1024 * 1024 },
      (_error, stdout, stderr) => resolve({ code: child.exitCode ?? -1, said: stdout + stderr }),
    );
    onTestFinished(() => void child.kill());
  });
}

test.skipIf(!own)(
  "the contract tests of the embedded API pass on the real API server",
  async () => {
    const name = unique("contract");
    const dir = mkdtempSync(join(tmpdir(), "hot-contract-report-"));
    onTestFinished(async () => {
      rmSync(dir, { recursive: true, force: true });
      await down(name);
    });
    const { kubeconfig, at } = await up({ name, images: [] });
    const file = join(dir, "report.json");
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`, "--no-color"];
    const { code, said } = await vitest(
      ["run", "--project", "unit", "packages/local/test/contract", "--no-file-parallelism", ...reporters],
      { HOT_CONTRACT_KUBECONFIG: kubeconfig, HOT_CONTRACT_WEBHOOK_HOST: at.host },
    );
    expect(code, said).toBe(0);
    const { success, numPassedTests, numFailedTests } = JSON.parse(readFileSync(file, "utf8")) as Report;
    expect({ success, numFailedTests }).toEqual({ success: true, numFailedTests: 0 });
    expect(numPassedTests).toBeGreaterThan(150);
  },
  400_000,
);
