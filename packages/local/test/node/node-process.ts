// SPDX-License-Identifier: Apache-2.0
// A node in a process of its own, to be killed: prints pid, child's pid and shared memory folder of its one container.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { startNode } from "../../src/node/agent.ts";
import { FakeApi } from "./fake-api.ts";

const dir = process.argv[2]!;
const api = new FakeApi();
const image = { entrypoint: ["/bin/sh", "-c", 'sleep 1000 & echo "$$$$ $! $SHM"; wait'], env: { SHM: "$(SHM)" } };
await startNode({ api, dir, catalogue: { images: { image } } });
const pod = api.addPod("p", { containers: [{ name: "x", image: "image" }] });
const output = (): string => readFileSync(join(dir, "pods", pod.metadata.uid!, "x", "0.log"), "utf8");
await api.until("p", ({ status }) => status?.phase === "Running");
while (output() === "") await new Promise((resolve) => setTimeout(resolve, 10));
console.log(output().trim());
setInterval(() => undefined, 1_000_000);
