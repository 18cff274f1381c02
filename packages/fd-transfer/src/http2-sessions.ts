// SPDX-License-Identifier: Apache-2.0
import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { Server } from "node:net";

/** Without a stream for so long, the client is not in the middle of something. */
const QUIET_MS = 50;
/** A session that is never quiet is ended after this time all the same. */
const PATIENCE_MS = 5_000;
/** The ends are spread over this time at least, so that not all clients connect anew at once. */
const JITTER_MS = 200;
const LOOK_MS = 10;

/** What is known of one session when it is decided whether it ends now. */
export interface Looked {
  /** How long the drain has lasted since it was this session's turn; negative before. */
  readonly waitedMs: number;
  readonly streams: number;
  readonly quietMs: number;
}

/**
 * GOAWAY names the last stream that is answered. What the client has sent after that is refused: safe to be sent again,
 * but an error all the same. So it is sent when none is likely to be on its way.
 */
export function mayEnd({ waitedMs, streams, quietMs }: Looked): boolean {
  if (waitedMs < 0) return false;
  return (streams === 0 && quietMs >= QUIET_MS) || waitedMs >= PATIENCE_MS;
}

interface Tracked {
  streams: number;
  quietSince: number;
  /** When its turn comes. */
  from: number;
}

/** The HTTP/2 sessions of this process, and how they end: by GOAWAY at a quiet moment, each in its own turn. */
export class Http2Sessions {
  readonly #sessions = new Map<ServerHttp2Session, Tracked>();
  #spreadMs = 0;
  #timer: NodeJS.Timeout | undefined;

  /** Does nothing to a server that has no sessions. */
  track(server: Server): void {
    server.on("session", (session: ServerHttp2Session) => {
      const tracked: Tracked = { streams: 0, quietSince: performance.now(), from: this.#turn() };
      this.#sessions.set(session, tracked);
      session.once("close", () => this.#sessions.delete(session));
      session.on("stream", (stream: ServerHttp2Stream) => {
        tracked.streams++;
        stream.once("close", () => {
          tracked.streams--;
          tracked.quietSince = performance.now();
        });
      });
    });
  }

  begin(spreadMs: number): void {
    if (this.#timer !== undefined) return;
    this.#spreadMs = Math.max(spreadMs, JITTER_MS);
    for (const tracked of this.#sessions.values()) tracked.from = this.#turn();
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
  }

  /** Those that were told so end nevertheless. */
  cancel(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #turn(): number {
    return performance.now() + Math.random() * this.#spreadMs;
  }

  #look(): void {
    const now = performance.now();
    for (const [session, { streams, quietSince, from }] of this.#sessions) {
      if (session.closed || !mayEnd({ waitedMs: now - from, streams, quietMs: now - quietSince })) continue;
      session.close();
    }
  }
}
