// SPDX-License-Identifier: Apache-2.0
import type { Deferred } from "./deferred.ts";
import { deferred } from "./deferred.ts";
import { HandoffError } from "./errors.ts";

/** What the application has said about being able to serve, and whom to tell the result. */
export class Readiness {
  #waiting: Deferred<void> | null = null;
  #probe: () => Promise<void> = async () => undefined;
  #failure: unknown;

  /** The application called ready() and was not turned down since. */
  get declared(): boolean {
    return this.#waiting !== null;
  }

  get probeFailed(): boolean {
    return this.#failure !== undefined;
  }

  async declare(probe: () => Promise<void>): Promise<void> {
    this.#probe = probe;
    this.#failure = undefined;
    this.#waiting ??= deferred();
    return this.#waiting.promise;
  }

  /** The reason of the failure, or null. */
  async probe(): Promise<string | null> {
    try {
      await this.#probe();
      return null;
    } catch (error) {
      this.#failure = error ?? new Error("the probe was rejected without a reason");
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** The application turned down what it was given; the next attempt may succeed. */
  refuse(error: HandoffError): void {
    this.#failure = error;
  }

  resolve(): void {
    this.#waiting?.resolve();
  }

  reject(error: unknown): void {
    this.#waiting?.reject(error);
    this.#waiting = null;
  }

  /** Turns the application down after its own probe failed. */
  rejectByProbe(rolledBack: boolean): void {
    const cause = this.#failure;
    if (cause instanceof HandoffError) return this.reject(cause);
    const message = cause instanceof Error ? cause.message : String(cause);
    this.reject(new HandoffError("HOT4007", `the probe failed: ${message}`, { phase: "probe", rolledBack, cause }));
  }
}
