// SPDX-License-Identifier: Apache-2.0
import { envoy } from "./envoy.ts";
import { haproxy } from "./haproxy.ts";
import { hot } from "./hot.ts";
import { nginx } from "./nginx.ts";
import { clusterRolling, floor, inherited, reuseCareful, reuseClose } from "./node.ts";
import type { Peer } from "./peer.ts";

/** In the order of the table; the two that are compared with each other run one after the other. */
export const PEERS: readonly Peer[] = [
  floor,
  inherited,
  hot,
  reuseClose,
  reuseCareful,
  clusterRolling,
  haproxy,
  nginx,
  envoy,
];
