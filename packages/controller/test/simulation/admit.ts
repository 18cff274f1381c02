// SPDX-License-Identifier: Apache-2.0
import { admissionOf } from "./admission.ts";
import { Mirror } from "./mirror.ts";
import { Policy } from "./policy.ts";
import { NATURE } from "./scheduler.ts";
import type { World } from "./world.ts";

/** What others have put before the API server comes; a policy may go, and is returned. */
export function admit(world: World, seed: number, length: number): Policy | undefined {
  const { policy, mirror } = admissionOf(seed);
  const { scheduler, server } = world;
  const at = (share: number, act: () => void): void => {
    if (share === 0) act();
    else scheduler.after(Math.floor(share * length), NATURE, act);
  };
  if (mirror !== undefined) {
    const webhook = new Mirror(mirror);
    world.mirror = webhook;
    server.rewrite = (before, wished) => webhook.updated(before, wished);
    at(mirror.from, () => {
      world.note(() => `webhook: puts a mirror before images from now on: ${JSON.stringify(mirror)}`);
      webhook.isOn = true;
    });
  }
  if (policy === undefined) return undefined;
  const judge = new Policy(world, policy);
  world.policy = judge;
  const turn = (isOn: boolean) => () => {
    world.note(() => `policy: ${isOn ? `refuses ${JSON.stringify({ ...policy, pods: [...policy.pods] })}` : "gone"}`);
    judge.isOn = isOn;
  };
  at(policy.from, turn(true));
  if (policy.until !== undefined) at(policy.until, turn(false));
  return judge;
}
