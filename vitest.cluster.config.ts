// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const conditions = ["@hot/source", "module", "node"];
const shared = {
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
};
const limits = { testTimeout: 180_000, hookTimeout: 180_000 };
const file = (name: string): string => `test/cluster/${name}.test.ts`;
/** They start a cluster of their own, with nothing installed, and type the commands of docs/operations.md. */
const pages = ["operations", "migration"].map(file);
/** They restart or remove what all tests share (the installation, the kubelet), or choose pods in all namespaces. */
const alone = ["availability", "kubelet", "controller-kill", "chart", "samples"].map(file);
const globalSetup = "test/cluster/setup.ts";

const longest = ["contract", "rollout", "faults"].map(file);

/** The files that take longest begin first, so that no worker waits for them in the end. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification): boolean => longest.some((name) => moduleId.endsWith(name));
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((each) => !isLong(each))];
  }
}

/** `pnpm test:cluster`, and `pnpm test:pages`. */
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        ...shared,
        test: {
          name: "cluster",
          include: ["test/cluster/**/*.test.ts"],
          exclude: [...pages, ...alone],
          maxWorkers: 3,
          globalSetup,
          ...limits,
        },
      },
      {
        ...shared,
        test: {
          name: "cluster-alone",
          include: alone,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
          globalSetup,
          ...limits,
        },
      },
      {
        ...shared,
        test: {
          name: "pages",
          include: pages,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
          globalSetup: "test/cluster/pages-setup.ts",
          ...limits,
        },
      },
    ],
  },
});
