// SPDX-License-Identifier: Apache-2.0
// Builds build/hot-fd.node (the addon) and build/hot-standby (a static C program) with nothing but a compiler: a fresh
// machine has neither Python nor make, so node-gyp is no way. Does nothing when both are up to date.
import { buildForHost } from "./native/host.mjs";
import { say } from "./native/report.mjs";

if (process.platform === "linux") {
  await buildForHost();
} else {
  say(`nothing to build: descriptors can be handed over on Linux only, this is ${process.platform}-${process.arch}`);
}
