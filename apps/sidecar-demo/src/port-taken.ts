// SPDX-License-Identifier: Apache-2.0
import type { HotHandoff } from "@hot/fd-transfer";
import type { Address } from "./config.ts";

/** A stranger in the port is not waited for longer: the container ends, so that somebody sees it. */
const ATTEMPTS = 3;

export class PortTaken extends Error {
  readonly fix = "Stop the process that listens there, or set LISTEN_PORT to a free port.";

  constructor({ host, port }: Address) {
    super(`port ${port} on ${host} is taken by a process that is no sidecar of this pod`);
  }
}

/** Rejects with PortTaken when the port stays taken although no other sidecar is there; never resolves. */
export async function portTaken(hot: HotHandoff, listen: Address): Promise<never> {
  return new Promise((_, reject) => {
    let attempts = 0;
    hot.events.on("retry", ({ reason }) => {
      if (reason.startsWith("HOT4010")) attempts += 1;
      if (attempts === ATTEMPTS) reject(new PortTaken(listen));
    });
  });
}
