// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Addresses } from "./addresses.ts";
import type { Component } from "./processes.ts";

/** Port of the host on which a test may run a registry; containers name it `registry.test/...`. */
export const REGISTRY_PORT = 5000;

/** Where the node's container runtime listens, seen from inside the sandbox. */
export function containerdSocket(node: string): string {
  return `/run/${node}/containerd.sock`;
}

/** Writes the configuration of one node and returns its processes, in the order of their start. */
export function nodeComponents(folder: string, bin: string, cgroup: string, index: number, at: Addresses): Component[] {
  const node = `n${index + 1}`;
  const address = at.nodes[index] ?? "";
  const own = join(folder, node);
  for (const name of ["cni", "cni-state", "certs.d/registry.test", "kubelet", "kubelet-pki"]) {
    mkdirSync(join(own, name), { recursive: true });
  }
  writeFileSync(join(own, "containerd.toml"), containerdConfig(own, node));
  writeFileSync(join(own, "certs.d/registry.test/hosts.toml"), registryHosts(at.host));
  writeFileSync(join(own, "cni", "10-bridge.conflist"), JSON.stringify(network(own, node, at.podNets[index] ?? "")));
  const credentials = join(folder, "pki", `kubelet-${node}`);
  const config = kubeletConfig({ own, node, address, cgroup, credentials, authority: join(folder, "pki", "ca.crt") });
  writeFileSync(join(own, "kubelet.json"), JSON.stringify(config, undefined, 2));
  return [
    { name: `containerd-${node}`, command: ["containerd", "--config", join(own, "containerd.toml")] },
    {
      name: `kubelet-${node}`,
      command: [
        join(bin, "kubelet"),
        `--kubeconfig=${join(folder, "kubeconfig", `kubelet-${node}`)}`,
        `--config=${join(own, "kubelet.json")}`,
        `--hostname-override=${node}`,
        `--node-ip=${address}`,
        `--root-dir=${join(own, "kubelet")}`,
        `--cert-dir=${join(own, "kubelet-pki")}`,
      ],
    },
  ];
}

/** Programs the Service addresses, for all nodes at once: they share one network namespace. */
export function serviceProxy(folder: string, bin: string): Component {
  return {
    name: "proxy",
    command: [
      join(bin, "kube-proxy"),
      `--kubeconfig=${join(folder, "kubeconfig", "proxy")}`,
      "--hostname-override=n1",
      "--proxy-mode=iptables",
      "--conntrack-max-per-core=0",
      "--conntrack-tcp-timeout-established=0s",
      "--conntrack-tcp-timeout-close-wait=0s",
    ],
  };
}

function containerdConfig(own: string, node: string): string {
  return `version = 2
root = "${own}/containerd"
state = "/run/${node}/containerd"
[grpc]
  address = "${containerdSocket(node)}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "${own}/certs.d"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${own}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
[plugins."io.containerd.internal.v1.opt"]
  path = "${own}/opt"
`;
}

function registryHosts(host: string): string {
  return `server = "http://${host}:${REGISTRY_PORT}"
[host."http://${host}:${REGISTRY_PORT}"]
  capabilities = ["pull", "resolve"]
`;
}

function network(own: string, node: string, podNet: string): object {
  return {
    cniVersion: "0.4.0",
    name: node,
    plugins: [
      {
        type: "bridge",
        bridge: `pods-${node}`,
        isGateway: true,
        hairpinMode: true,
        ipam: {
          type: "host-local",
          dataDir: join(own, "cni-state"),
          ranges: [[{ subnet: podNet }]],
          routes: [{ dst: "0.0.0.0/0" }],
        },
      },
      { type: "portmap", capabilities: { portMappings: true } },
    ],
  };
}

interface KubeletSettings {
  own: string;
  node: string;
  address: string;
  cgroup: string;
  /** Path without ending of the kubelet's certificate and key. */
  credentials: string;
  authority: string;
}

function kubeletConfig({ own, node, address, cgroup, credentials, authority }: KubeletSettings): object {
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    containerRuntimeEndpoint: `unix://${containerdSocket(node)}`,
    cgroupDriver: "cgroupfs",
    cgroupRoot: `/${cgroup}/${node}`,
    enforceNodeAllocatable: ["pods"],
    failSwapOn: false,
    failCgroupV1: false,
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: authority } },
    authorization: { mode: "Webhook" },
    tlsCertFile: `${credentials}.crt`,
    tlsPrivateKeyFile: `${credentials}.key`,
    address,
    healthzBindAddress: address,
    podLogsDir: join(own, "pod-logs"),
    volumePluginDir: join(own, "volume-plugins"),
    imageGCHighThresholdPercent: 100,
    evictionHard: {
      "nodefs.available": "0%",
      "imagefs.available": "0%",
      "nodefs.inodesFree": "0%",
      "imagefs.inodesFree": "0%",
      "memory.available": "100Mi",
    },
    localStorageCapacityIsolation: false,
    makeIPTablesUtilChains: false,
    podPidsLimit: -1,
    maxPods: 250,
    serializeImagePulls: false,
    registryPullQPS: 0,
    eventRecordQPS: 0,
    kubeAPIQPS: 200,
    kubeAPIBurst: 400,
  };
}
