// SPDX-License-Identifier: Apache-2.0
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { listen } from "./listen.ts";
import type { Metrics } from "./metrics.ts";

export interface HealthOptions {
  host: string;
  port: number;
  /** What has to hold before traffic may come, by name; all are asked on every call. */
  ready: Readonly<Record<string, () => boolean>>;
  metrics: Metrics;
}

export interface HealthServer {
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * `/healthz`: 200 as long as the process answers. `/readyz`: 200 when every condition holds, else 503 with the names of
 * those that do not. `/metrics`: for Prometheus.
 */
export async function startHealthServer({ host, port, ready, metrics }: HealthOptions): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const answer = (status: number, text: string, type = "text/plain; charset=utf-8"): void => {
      response.writeHead(status, { "content-type": type });
      response.end(text);
    };
    const path = (request.url ?? "").split("?")[0];
    if (path === "/healthz") return answer(200, "ok\n");
    if (path === "/readyz") {
      const missing = Object.keys(ready).filter((name) => ready[name]?.() !== true);
      return missing.length === 0 ? answer(200, "ok\n") : answer(503, `waiting for ${missing.join(", ")}\n`);
    }
    if (path !== "/metrics") return answer(404, "there are /healthz, /readyz and /metrics\n");
    metrics.text().then(
      (text) => answer(200, text, metrics.contentType),
      (error: unknown) => answer(500, String(error)),
    );
  });
  await listen(server, { host, port, flag: "--health-port" });
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
