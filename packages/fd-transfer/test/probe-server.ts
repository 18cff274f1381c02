// SPDX-License-Identifier: Apache-2.0
import { loadNative } from "../src/native/addon.ts";
import { NativeError } from "../src/native/native-error.ts";
import { Poller, READABLE } from "../src/native/poller.ts";

/** What a question gets: this message; for `"close"` an end without one; for `"silence"` nothing at all. */
export type ProbeReply = string;

/** Serves a probe socket in this process; `reply` is asked for each question. */
export class ProbeServer {
  readonly #fd: number;
  readonly #poller: Poller;
  readonly #silent: number[] = [];
  questions = 0;

  constructor(path: string, reply: (question: number) => ProbeReply) {
    const native = loadNative();
    this.#fd = native.listenSeqpacket(path, 0o600, 8);
    this.#poller = new Poller(this.#fd, () => {
      for (let fd = native.accept(this.#fd); fd !== null; fd = native.accept(this.#fd)) {
        this.questions += 1;
        const answer = reply(this.questions);
        if (answer === "silence") {
          this.#silent.push(fd);
          continue;
        }
        try {
          if (answer !== "close") native.send(fd, Buffer.from(answer), []);
        } catch (error) {
          if (!(error instanceof NativeError && error.code === "EPIPE")) throw error; // the asker gave up
        }
        native.close(fd);
      }
    });
    this.#poller.start(READABLE);
  }

  [Symbol.dispose](): void {
    this.#poller.close();
    for (const fd of [this.#fd, ...this.#silent]) loadNative().close(fd);
  }
}
