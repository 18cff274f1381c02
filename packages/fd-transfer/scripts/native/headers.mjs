// SPDX-License-Identifier: Apache-2.0
// Where the headers are that the addon is compiled with. They are the same for all platforms.
import { existsSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fail } from "./report.mjs";
import { root } from "./sources.mjs";

/** The folder with node_api.h and uv.h of a Node. */
export function nodeHeaders() {
  const places = [
    process.env.HOT_NODE_HEADERS,
    join(dirname(dirname(realpathSync(process.execPath))), "include", "node"),
    "/usr/include/node",
    "/usr/include/nodejs/src",
  ].filter(Boolean);
  const found = places.find((place) => existsSync(join(place, "node_api.h")) && existsSync(join(place, "uv.h")));
  if (found) return found;
  return fail(
    "the headers of Node were not found",
    `no node_api.h and uv.h in ${places.join(", ")}`,
    `npm install --prefix /tmp/node-headers --ignore-scripts node-linux-${process.arch}@${process.versions.node} && HOT_NODE_HEADERS=/tmp/node-headers/node_modules/node-linux-${process.arch}/include/node node ${process.argv[1]}`,
  );
}

/** In the package as it is published: a copy, so that nothing has to be downloaded for a build. */
export const packedAddonApi = join(root, "prebuilds", "include");

/** The folder with napi.h. */
export function addonApi() {
  try {
    return dirname(createRequire(import.meta.url).resolve("node-addon-api/package.json"));
  } catch (error) {
    if (existsSync(join(packedAddonApi, "napi.h"))) return packedAddonApi;
    return fail("the package node-addon-api was not found", error.message.split("\n")[0], "run `pnpm install` first");
  }
}
