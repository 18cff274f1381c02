// SPDX-License-Identifier: Apache-2.0
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { catalogue, select } from "../../tools/image/catalogue.ts";
import { USER } from "../../tools/image/oci.ts";

const root = join(import.meta.dirname, "..", "..");
const folder = join(root, "tools/image/containerfiles");
const pnpm = (JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { packageManager: string })
  .packageManager;

test.each(readdirSync(folder).map((file) => file.replace(".Containerfile", "")))(
  "the Containerfile of %s starts what the image of this tool starts, as the same user",
  (name) => {
    const text = readFileSync(join(folder, `${name}.Containerfile`), "utf8");
    const [{ config } = { config: undefined }] = select(catalogue("dev"), [name]);
    const last = (word: string): string | undefined => new RegExp(`^${word} (.*)$`, "m").exec(text)?.[1];
    expect(JSON.parse(last("ENTRYPOINT") ?? "")).toEqual(config?.entrypoint);
    expect(last("USER")).toBe(USER);
    expect(last("EXPOSE")?.split(" ").map(Number)).toEqual(config?.ports ? [...config.ports] : undefined);
    expect(last("ENV")).toBe(config?.env ? "DEMO_VERSION=${VERSION}" : undefined);
    expect(text).toContain(`npm install --global ${pnpm} `);
    expect(/ rootfs (\S+) /.exec(text)?.[1]?.replace(/:.*/, "")).toBe(name);
  },
);
