// SPDX-License-Identifier: Apache-2.0
import type { Container, Pod, SidecarSet } from "@hot/spec";
import { injectPod } from "../src/index.ts";
import { aContainer, aHotContainer, aPod, aSidecarSet, NOW } from "./pod-builder.ts";

/** SidecarSets that look at everything of a pod that injection can look at. */
export const curiousSidecarSets: SidecarSet[] = [
  aSidecarSet(
    "shares",
    [
      {
        ...aContainer("shares"),
        shareVolumePolicy: { type: "enabled" },
        shareVolumeDevicePolicy: { type: "enabled" },
        transferEnv: [{ sourceContainerName: "main", envNames: ["E1", "E2"] }],
        volumeMounts: [{ name: "v", mountPath: "/v" }],
      },
    ],
    {
      volumes: [{ name: "v", emptyDir: {} }],
      imagePullSecrets: [{ name: "pull" }],
      patchPodMetadata: [{ annotations: { note: '{"b":1}' }, patchPolicy: "MergePatchJson" }],
    },
  ),
  aSidecarSet("hot", [aHotContainer("hot")]),
  aSidecarSet("sized", [
    {
      ...aContainer("sized"),
      resourcesPolicy: {
        targetContainersMode: "sum",
        targetContainersNameRegex: "^(a+)+$|main",
        resourcesExpr: { requests: { cpu: "cpu" } },
      },
    },
  ]),
];

const inject = (pod: Pod): Pod =>
  injectPod({ pod, namespace: { name: "shop" }, sidecarSets: curiousSidecarSets, now: NOW }).pod;
const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));
const env = (count: number) => times(count, (at) => ({ name: `E${at}`, value: "value" }));
const main = (rest: Partial<Container>): Pod => aPod({ containers: [aContainer("main", rest)] });

/** The pod after an injection, with one of its sidecars bloated: the second injection has to complete it. */
function injectedBefore(count: number): Pod {
  const pod = structuredClone(inject(main({ volumeMounts: mounts(count) })));
  const hot = pod.spec.containers.find(({ name }) => name === "hot-1");
  if (hot !== undefined) hot.env = [...(hot.env ?? []), ...env(count)];
  return pod;
}

const mounts = (count: number) =>
  times(count, (at) => ({ name: `v${at}`, mountPath: `/${at}`, subPathExpr: `$(E${at})` }));

function nested(depth: number): unknown {
  return JSON.parse("[".repeat(depth) + "]".repeat(depth));
}

/**
 * Pods that somebody could send to make injection slow. With `size` as count they are as large as they get: about 3 MB of
 * JSON, the most that the API server reads, or what the checks of a pod's shape let through.
 */
export const hostilePods: Record<string, { size: number; make: (count: number) => Pod }> = {
  "995 containers with env": {
    size: 995,
    make: (count) =>
      aPod({ containers: [aContainer("main"), ...times(count - 1, (at) => aContainer(`c${at}`, { env: env(75) }))] }),
  },
  "80,000 containers": {
    size: 80_000,
    make: (count) => aPod({ containers: times(count, (at) => aContainer(`c${at}`)) }),
  },
  "containers of one name": {
    size: 995,
    make: (count) => aPod({ containers: times(count, () => aContainer("main", { env: env(75) })) }),
  },
  "names for a hungry regex": {
    size: 800,
    make: (count) =>
      aPod({ containers: [aContainer("main"), ...times(count - 1, (at) => aContainer(`${"a".repeat(58)}-${at}`))] }),
  },
  "a container with much env": { size: 80_000, make: (count) => main({ env: env(count) }) },
  "mounts that each need an env": {
    size: 10_000,
    make: (count) => main({ env: env(6 * count), volumeMounts: mounts(count) }),
  },
  "30,000 mounts": { size: 30_000, make: (count) => main({ env: env(count), volumeMounts: mounts(count) }) },
  "one subPathExpr with many variables": {
    size: 60_000,
    make: (count) => {
      const subPathExpr = times(count, (at) => `$(E${at})`).join("");
      return main({ env: env(count), volumeMounts: [{ name: "v", mountPath: "/x", subPathExpr }] });
    },
  },
  "many devices": {
    size: 10_000,
    make: (count) => main({ volumeDevices: times(count, (at) => ({ name: `v${at}`, devicePath: `/dev/${at}` })) }),
  },
  "injected before, bloated since": { size: 10_000, make: injectedBefore },
  "volumes and pull secrets": {
    size: 60_000,
    make: (count) =>
      aPod({
        volumes: times(count, (at) => ({ name: `v${at}` })),
        imagePullSecrets: times(count, (at) => ({ name: `s${at}` })),
      }),
  },
  "a hash record of many": {
    size: 4000,
    make: (count) => {
      const entries = times(count, (at) => [`s${at}`, { hash: "h", sidecarSetName: `s${at}` }]);
      return aPod({}, { "kruise.io/sidecarset-hash": JSON.stringify(Object.fromEntries(entries)) });
    },
  },
  "an injected list of many": {
    size: 30_000,
    make: (count) => aPod({}, { "kruise.io/sidecarset-injected-list": times(count, (at) => `s${at}`).join(",") }),
  },
  "JSON with numbers of many digits that is merged": {
    size: 10_000,
    make: (count) => aPod({}, { note: `{${times(count, (at) => `"${at}":0.${"1".repeat(12)}`).join()}}` }),
  },
  "JSON that is merged": {
    size: 16_000,
    make: (count) => aPod({}, { note: JSON.stringify(Object.fromEntries(times(count, (at) => [`k${at}`, at]))) }),
  },
  "JSON of escapes that is merged": {
    size: 60_000,
    make: (count) => aPod({}, { note: `{"a":"${'\\\\\\"'.repeat(count)}"}` }),
  },
  "JSON that is merged again": {
    size: 16_000,
    make: (count) => {
      const note = JSON.stringify(Object.fromEntries(times(count, (at) => [`k${count - at}`, at])));
      return aPod({}, { note, "kruise.io/sidecarset-injected-list": "shares" });
    },
  },
  "JSON nested deeply that is merged": {
    size: 120_000,
    make: (depth) => aPod({}, { note: `{"a":${"[".repeat(depth)}${"]".repeat(depth)}}` }),
  },
  "a list of working sides of many": {
    size: 8000,
    make: (count) => {
      const sides = Object.fromEntries(times(count, (at) => [`c${at}`, `c${at}-1`]));
      return aPod({}, { "kruise.io/sidecarset-working-hotupgrade-container": JSON.stringify(sides) });
    },
  },
  "3 MB of annotations": {
    size: 100_000,
    make: (count) => aPod({}, Object.fromEntries(times(count, (at) => [`key${at}`, "some 20 characters.."]))),
  },
  "3 MB of labels": {
    size: 100_000,
    make: (count) => {
      const labels = Object.fromEntries(times(count, (at) => [`key${at}`, "some 20 characters.."]));
      return { ...aPod(), metadata: { labels: { ...labels, app: "web" } } };
    },
  },
  "a mount nested deeply": {
    size: 10_000,
    make: (depth) => main({ volumeMounts: [{ name: "v", mountPath: "/x", deep: nested(depth) } as never] }),
  },
};
