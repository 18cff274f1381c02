// SPDX-License-Identifier: Apache-2.0
import type { FdItem } from "./message.ts";

/** The item of a descriptor that is no socket. */
export function plainItem(kind: "lock" | "word" | "state", key: string = kind): FdItem {
  return {
    key,
    kind,
    domain: 0,
    type: 0,
    proto: 0,
    address: "",
    port: 0,
    cookie: 0n,
    backlog: 0,
    v6only: false,
    reusePort: false,
    ifname: "",
    netnsIno: 0n,
    meta: new Uint8Array(),
  };
}
