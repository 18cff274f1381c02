// SPDX-License-Identifier: Apache-2.0
import type { HotHandoff } from "@hot/fd-transfer";

/** Writes what becomes of the hand-off, one line each, for `kubectl logs`. */
export function reportHandoff(hot: HotHandoff, who: string): void {
  const say = (sentence: string): void => void process.stdout.write(`${who}: ${sentence}\n`);
  say(`is ${hot.role}`);
  hot.events.on("role", (role) => say(`is ${role}`));
  hot.events.on("owner", (epoch) => say(`owns with epoch ${epoch} and accepts`));
  hot.events.on("handoff", ({ version }) => say(`hands over to version ${version}`));
  hot.events.on("rollback", ({ reason }) => say(`goes on serving: ${reason}`));
  hot.events.on("retry", ({ reason, afterMs }) => say(`tries again in ${afterMs} ms: ${reason}`));
  hot.events.on("draining", () => say("drains its connections"));
  hot.events.on("drained", (report) => say(`drained: ${JSON.stringify(report)}`));
  hot.events.on("listenerDead", (key) => say(`listens on ${key} again: somebody had shut it down`));
}
