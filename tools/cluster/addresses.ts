// SPDX-License-Identifier: Apache-2.0

/** Every address of one test cluster. Clusters on one machine differ by their slot, so none of these collide. */
export interface Addresses {
  /** Name of the host's end of the cable into the cluster. Creating it is what claims the slot. */
  link: string;
  /** The host as the cluster's processes and pods see it, and as it sees them. */
  host: string;
  gateway: string;
  nodes: readonly string[];
  podNets: readonly string[];
  services: string;
  /** Address of the Service `default/kubernetes`: the API server itself listens there. */
  api: string;
}

export const SLOTS = 32;
export const MAX_NODES = 8;

export function addresses(slot: number, nodes: number): Addresses {
  const each = <T>(make: (index: number) => T): T[] => Array.from({ length: nodes }, (_, index) => make(index));
  return {
    link: `hotc${slot}`,
    host: `10.201.${slot}.1`,
    gateway: `10.201.${slot}.2`,
    nodes: each((index) => `10.201.${slot}.${index + 2}`),
    podNets: each((index) => `10.202.${slot * MAX_NODES + index}.0/24`),
    services: `10.203.${slot}.0/24`,
    api: `10.203.${slot}.1`,
  };
}
