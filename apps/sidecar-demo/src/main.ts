// SPDX-License-Identifier: Apache-2.0
// The demo's sidecar: a reverse proxy that hands its listener over to the next version of itself.
import { createServer } from "node:http";
import { HotHandoff } from "@hot/fd-transfer";
import { readConfig } from "./config.ts";
import { createProxy } from "./proxy.ts";

const config = readConfig(process.env);
if (config.crash) {
  process.stderr.write(`sidecar ${config.version} is broken on purpose (DEMO_CRASH=1)\n`);
  process.exit(1);
}

const identity = { "x-sidecar-version": config.version, "x-sidecar-container": config.container };
const server = createServer(createProxy({ upstream: config.upstream, identity }));
const hot = await HotHandoff.open({ name: "sidecar" });
hot.handleSignals();
const listener = await hot.listener("http", config.listen);
listener.attach(server);
await hot.ready();
