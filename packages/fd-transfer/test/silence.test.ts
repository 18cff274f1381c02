// SPDX-License-Identifier: Apache-2.0
// When a peer that hangs counts as silent: hangMs after the hang, in whatever moment between two PINGs that was.
import { afterEach, expect, test, vi } from "vitest";
import { Link } from "../src/link.ts";
import { DEFAULT_TIMEOUTS } from "../src/protocol/limits.ts";
import type { Message } from "../src/protocol/message.ts";
import type { Session } from "../src/session.ts";

afterEach(() => void vi.useRealTimers());

/** A watched peer: answers each PING at once as long as it is awake. */
class Peer {
  awake = true;
  readonly heard: string[] = [];
  readonly #link: Link<{ phase: string }>;

  constructor() {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "setTimeout", "clearTimeout", "performance"] });
    this.#link = new Link(
      (state, event) => {
        if (event.type === "silent") this.heard.push(event.level);
        return { state, effects: [] };
      },
      { phase: "kept" },
      DEFAULT_TIMEOUTS,
      { perform: () => undefined, ended: () => undefined },
    );
    const send = (message: Message): void => {
      if (message.type === "PING" && this.awake) this.#link.message({ type: "PONG", id: message.id }, []);
    };
    const session = { send, readAll: () => undefined, close: () => undefined, eof: false };
    this.#link.start(session as unknown as Session, [{ type: "watch", on: true }]);
  }
}

test.each(Array.from({ length: 13 }, (_, index) => index * 10))(
  "a peer that hangs %d ms after a PING is silent after hangMs, and not much earlier",
  (phase) => {
    const peer = new Peer();
    vi.advanceTimersByTime(1_000 + phase);
    peer.awake = false;
    vi.advanceTimersByTime(DEFAULT_TIMEOUTS.hangMs / 2);
    expect(peer.heard).toEqual([]);
    vi.advanceTimersByTime(DEFAULT_TIMEOUTS.hangMs / 2);
    expect(peer.heard).toEqual(["hang"]);
    vi.advanceTimersByTime(DEFAULT_TIMEOUTS.deadMs - DEFAULT_TIMEOUTS.hangMs);
    expect(peer.heard).toEqual(["hang", "dead"]);
  },
);

test("a pause of this process is no silence of the peer", () => {
  const peer = new Peer();
  vi.advanceTimersByTime(1_000);
  // The PING is on its way when both are paused, as when a whole machine stands still: one look, and far too late.
  peer.awake = false;
  vi.advanceTimersToNextTimer();
  vi.spyOn(performance, "now").mockReturnValue(performance.now() + 10_000);
  vi.advanceTimersToNextTimer();
  expect(peer.heard).toEqual([]);
});
