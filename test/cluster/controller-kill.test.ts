// SPDX-License-Identifier: Apache-2.0
// The leader is killed ten times in a rollout on a real cluster: each pod is upgraded and reset once, as without.
import { execFileSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { RESOURCES, type KubeObject } from "@hot/kube";
import { afterAll, expect, test } from "vitest";
import { replicas, scale, SYSTEM } from "./installed.ts";
import {
  api,
  cluster,
  EMPTY,
  getSidecarSet,
  image,
  injected,
  kubectl,
  namespace,
  own,
  pods,
  setVersion,
  unique,
  until,
} from "./kit.ts";
import { injectedState, pairState, pairStates, reset, upgraded, type PairState } from "./pair-state.ts";
import { expectAppUntouched, watchPods } from "./pod-history.ts";

const LEASE = "hot-controller";
const KILLS = 10;
const PODS = 5;
/** From a kill to the next leader. */
const TAKEOVER_MS = 20_000;

type Lease = KubeObject & { spec?: { holderIdentity?: string } };

/** `<pod>_<random>` of the leader; empty when the lease was given back. */
const holder = async (): Promise<string> =>
  (await api().get<Lease>(RESOURCES.leases, LEASE, { namespace: SYSTEM })).spec?.holderIdentity ?? "";

interface Leader {
  readonly identity: string;
  readonly pod: string;
  readonly containerID: string;
}

/**
 * The leader, other than the one before, whose pod is there and whose container the kubelet has told of. A container
 * that was killed may be started once more before the kubelet sees that its pod is gone, and lead until it is stopped.
 */
const leaderAfter = (before = ""): Promise<Leader> =>
  until(
    `a leader after ${before}`,
    async () => {
      const identity = await holder();
      const pod = identity.split("_")[0] ?? "";
      const status = (await replicas()).find(({ metadata }) => metadata.name === pod)?.status;
      const containerID = status?.containerStatuses?.[0]?.containerID?.replace("containerd://", "");
      return identity !== before && containerID !== undefined && { identity, pod, containerID };
    },
    60_000,
    async () => [await holder(), (await replicas()).map(({ metadata, status }) => [metadata.name, status])],
  );

/** SIGKILL for the process of the leader; its pod goes too, so that the kubelet's back-off plays no part. */
function killLeader({ pod, containerID }: Leader): void {
  const kill = ["tasks", "kill", "--signal", "SIGKILL", containerID];
  const [file = "", ...args] = cluster().ctr(cluster().nodes[0] ?? "", kill);
  execFileSync(file, args, { stdio: "pipe" });
  kubectl(["delete", "pod", pod, "-n", SYSTEM, "--force", "--grace-period=0", "--wait=false"]);
}

/** As if the lease of a process that is known to be dead had run out: what follows is the same, 15 s earlier. */
async function expire({ identity }: Leader): Promise<void> {
  const body = [
    { op: "test", path: "/spec/holderIdentity", value: identity },
    { op: "replace", path: "/spec/holderIdentity", value: "" },
  ];
  await api().patch(RESOURCES.leases, LEASE, { type: "json", body }, { namespace: SYSTEM });
}

/** Without the numbers of the versions, which come from the SidecarSet. */
const roles = (states: readonly PairState[]): unknown =>
  states.map(({ images, working, versions }) => ({ images, working, idle: versions.map((one) => one === "0") }));

function expected(): unknown {
  const first = injectedState(image("v1"), EMPTY);
  const both = upgraded(first, image("v2"), "2");
  return roles([first, both, reset(both, EMPTY)]);
}

/** A generator of numbers from 0 to 1 that starts at the seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

afterAll(() => scale(2), 120_000);

test.skipIf(!own)(
  "ten kills of the leader in a rollout change nothing in the end",
  async () => {
    const seed = Number(process.env["SEED"] ?? randomInt(2 ** 31));
    process.stderr.write(`moments of the kills: SEED=${seed}\n`);
    const random = randomOf(seed);
    const ns = await namespace();
    const name = unique("kill");
    const fleet = await injected(
      {
        name,
        namespace: ns,
        // The soak makes the rollout last longer than the kills do, since it starts again with each leader.
        updateStrategy: { maxUnavailable: 2, hotUpgrade: { minReadySeconds: 2, progressDeadlineSeconds: 600 } },
        // This machine is busy with starting replicas, and neither hook nor probe is what is tested here.
        container: {
          lifecycle: { postStart: { exec: { command: [...MIGRATE, "--timeout", "300"] } } },
          readinessProbe: { exec: { command: PROBE }, periodSeconds: 1, timeoutSeconds: 10 },
        },
      },
      PODS,
    );
    const history = await watchPods(ns);
    const settled = (): number =>
      fleet.filter((pod) => JSON.stringify(roles(pairStates(history.of(pod)))) === JSON.stringify(expected())).length;
    await setVersion(name, "v2");
    await until("the rollout has begun", () =>
      history.all().some((pod) => pairState(pod).images.includes(image("v2"))),
    );

    let leader = await leaderAfter();
    const doneAtKill: number[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      await sleep(random() * 2_000);
      doneAtKill.push(settled());
      const killed = performance.now();
      killLeader(leader);
      // The first takeover is waited for in full; the others would only wait for the same clock.
      if (kill > 0) await expire(leader);
      leader = await leaderAfter(leader.identity);
      const took = performance.now() - killed;
      if (kill === 0) {
        process.stderr.write(`takeover after a kill: ${(took / 1000).toFixed(1)} s\n`);
        expect(took, "ms to the next leader").toBeLessThan(TAKEOVER_MS);
      }
    }
    process.stderr.write(`pods done at each kill: ${doneAtKill.join(" ")} of ${PODS}\n`);
    expect(Math.max(...doneAtKill), "pods that were done at the last kill").toBeLessThan(PODS);

    await until(
      "the rollout is over",
      async () => (await isDone(name)) && settled() === PODS,
      150_000,
      async () => [(await getSidecarSet(name)).status, (await pods(ns)).map(({ status }) => status?.containerStatuses)],
    );
    for (const pod of fleet) expect(roles(pairStates(history.of(pod))), pod.metadata.name).toEqual(expected());
    for (const pod of fleet) expectAppUntouched(history.of(pod));
  },
  300_000,
);

/** Ready, for the SidecarSet as it is now. */
async function isDone(name: string): Promise<boolean> {
  const { metadata, status } = await getSidecarSet(name);
  return (status?.conditions ?? []).some(
    (one) => one.type === "Ready" && one.status === "True" && one.observedGeneration === metadata.generation,
  );
}

const MIGRATE = ["/hot-standby", "migrate", "--name", "sidecar"];
const PROBE = ["/hot-standby", "probe", "--name", "sidecar"];

test("a leader that is stopped cleanly hands over", async () => {
  await scale(2);
  const leader = await leaderAfter();
  const began = performance.now();
  kubectl(["delete", "pod", leader.pod, "-n", SYSTEM, "--wait=false"]);
  await leaderAfter(leader.identity);
  process.stderr.write(`hand-over on a clean stop: ${((performance.now() - began) / 1000).toFixed(1)} s\n`);
});
