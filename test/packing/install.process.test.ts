// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

// Who installs the two packages gets what the README promises: nothing else is installed, the declarations compile in a
// strict project of their own, and the examples run on Node.
const root = join(import.meta.dirname, "../..");
const packages = ["spec", "inject"];
const scratch = mkdtempSync(join(tmpdir(), "hot-packing-"));
const project = join(scratch, "project");

afterAll(() => rmSync(scratch, { recursive: true }));

function run(cwd: string, command: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${error?.message ?? status}\n${stdout}${stderr}`);
  return stdout;
}

function readme(name: string): string {
  return readFileSync(join(project, "node_modules/@hot", name, "README.md"), "utf8");
}

beforeAll(() => {
  mkdirSync(project);
  // The second package is compiled against the declarations of the first.
  for (const name of packages) run(join(root, "packages", name), "pnpm", "run", "build");
  for (const name of packages) run(join(root, "packages", name), "pnpm", "pack", "--pack-destination", scratch);
  const tarballs = readdirSync(scratch).filter((name) => name.endsWith(".tgz"));
  expect(tarballs).toHaveLength(packages.length);
  writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
  run(project, "npm", "install", "--offline", "--no-audit", "--no-fund", ...tarballs.map((name) => `../${name}`));
});

test("both are installed beside each other, and nothing besides", () => {
  const installed = readdirSync(join(project, "node_modules")).filter((name) => !name.startsWith("."));
  expect(installed).toEqual(["@hot"]);
  expect(readdirSync(join(project, "node_modules/@hot")).sort()).toEqual(["inject", "spec"]);
  expect(existsSync(join(project, "node_modules/@hot/inject/node_modules"))).toBe(false);
});

test.each(packages)("@hot/%s has its declarations, its README and its licence, and no sources", (name) => {
  const folder = join(project, "node_modules/@hot", name);
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Record<string, unknown>;
  expect(manifest).toMatchObject({
    license: "Apache-2.0",
    sideEffects: false,
    exports: { ".": { types: "./dist/index.d.ts", default: "./dist/index.js" } },
  });
  expect(JSON.stringify(manifest)).not.toMatch(/workspace:|@hot\/source/);
  expect(readdirSync(folder)).toEqual(expect.arrayContaining(["LICENSE", "README.md", "dist", "package.json"]));
  expect(readdirSync(folder)).not.toContain("src");
});

test("the examples of the READMEs compile against the packed declarations and run on Node", () => {
  const examples = packages.flatMap((name) =>
    Array.from(readme(name).matchAll(/^```ts\n([^]*?)^```$/gm), ([, code = ""], index) => ({
      name: `${name}${index}`,
      code,
    })),
  );
  expect(examples.length).toBeGreaterThanOrEqual(packages.length);
  for (const { name, code } of examples) writeFileSync(join(project, `${name}.ts`), code);
  const compilerOptions = {
    module: "nodenext",
    target: "es2024",
    lib: ["es2024", "dom"],
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    outDir: "out",
  };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
  run(project, process.execPath, join(root, "node_modules/typescript/bin/tsc"), "-p", ".");
  const outputs = examples.map(({ name }) => [name, run(project, process.execPath, `out/${name}.js`)] as const);
  expect(Object.fromEntries(outputs)).toMatchObject({
    spec0: expect.stringContaining("HOT3201") as string,
    inject0: "[ 'proxy-1', 'proxy-2' ] undefined\n3\n",
  });
});
