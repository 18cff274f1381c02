// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { Scene } from "./fixtures/fixture-process.ts";

test("the example of the README, started twice: the second takes over, and gives back when it is told to stop", async () => {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const example = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? "";
  await using scene = await Scene.open();
  const code = example.replace("port: 8080", `port: ${scene.port}, host: "127.0.0.1"`);
  expect(code).not.toBe(example);
  const start = () => {
    const child = spawn(process.execPath, ["--conditions=@hot/source", "--input-type=module-typescript", "-e", code], {
      cwd: root,
      env: { ...process.env, HOT_DIR: scene.dir },
      stdio: ["ignore", "pipe", "inherit"],
    });
    return { child, line: once(child.stdout, "data").then(([chunk]) => String(chunk)), exit: once(child, "exit") };
  };
  const first = start();
  let second: ReturnType<typeof start> | null = null;
  try {
    expect(await first.line).toMatch(/^serving with epoch \d+ as fresh\n/);
    second = start();
    expect(await second.line).toMatch(/^serving with epoch \d+ as successor\n/);
    second.child.kill("SIGTERM");
    expect(await second.exit).toEqual([0, null]);
    const response = await fetch(`http://127.0.0.1:${scene.port}/`, { headers: { connection: "close" } });
    expect(await response.text()).toBe("hello\n");
  } finally {
    first.child.kill("SIGKILL");
    second?.child.kill("SIGKILL");
    await first.exit;
  }
});
