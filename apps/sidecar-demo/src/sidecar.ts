// SPDX-License-Identifier: Apache-2.0
import { createServer } from "node:http";
import { HotHandoff } from "@hot/fd-transfer";
import type { SidecarConfig } from "./config.ts";
import { portTaken } from "./port-taken.ts";
import { createProxy } from "./proxy.ts";
import { reportHandoff } from "./report.ts";
import { selfCheck } from "./self-check.ts";

/** Longer than the idle time of common clients and balancers: the client ends a connection, not we under its request. */
const CLIENT_IDLE_MS = 75_000;

/**
 * Takes the port over from the sidecar that serves it, or binds it; resolves when this one serves.
 *
 * @throws Error with `fix`: broken build, HandoffError, or PortTaken.
 */
export async function startSidecar(config: SidecarConfig): Promise<void> {
  const { version, container, listen, upstream } = config;
  if (config.crash) throw new Error(`version ${version} is broken on purpose (DEMO_CRASH=1)`);
  const identity = { "x-sidecar-version": version, "x-sidecar-container": container };
  // How long a request may take is the application's decision, not the proxy's.
  const server = createServer(
    { keepAliveTimeout: CLIENT_IDLE_MS, requestTimeout: 0 },
    createProxy({ upstream, identity }),
  );

  const hot = await HotHandoff.open({ name: "sidecar" });
  reportHandoff(hot, `sidecar ${version} in ${container}`);
  hot.handleSignals();
  const serve = async (): Promise<void> => {
    const listener = await hot.listener("http", listen);
    listener.attach(server);
    await hot.ready({ probe: async () => selfCheck(await listener.connectPrivately(), identity) });
  };
  try {
    await Promise.race([serve(), portTaken(hot, listen)]);
  } catch (error) {
    await hot.close();
    throw error;
  }
}
