// SPDX-License-Identifier: Apache-2.0
import type { Resource } from "../api.ts";
import { ConnectionError } from "../api-error.ts";

export type Verb = "get" | "list" | "watch" | "create" | "update" | "patch" | "delete";

/** One call as it arrived. */
export interface Call {
  verb: Verb;
  resource: Resource;
  namespace?: string | undefined;
  name?: string | undefined;
  subresource?: string | undefined;
  /** The object, the patch, or the options of a delete. */
  body?: unknown;
}

/** Which calls a fault is for: those that agree in everything given. */
export interface CallMatch {
  verb?: Verb;
  plural?: string;
  name?: string;
}

interface Fault {
  match: CallMatch;
  before?: () => Promise<void>;
  after?: (call: Call) => void;
}

/** Faults that wait for their call; each is used once, in the order of asking. */
export class Faults {
  readonly #waiting: Fault[] = [];

  /** The next such call fails with this error, and nothing is done. */
  failNext(match: CallMatch, error: Error): void {
    this.#waiting.push({ match, before: () => Promise.reject(error) });
  }

  /** The next such call is carried out, but its answer is lost. */
  loseNextAnswer(match: CallMatch): void {
    const after = ({ verb, resource }: Call): never => {
      throw new ConnectionError(`${verb} ${resource.plural}`, "fake", "KUBE_CUT", "the answer was lost");
    };
    this.#waiting.push({ match, after });
  }

  /** The next such call waits before it is carried out, until `release` is called. `reached` tells that it waits. */
  holdNext(match: CallMatch): { reached: Promise<void>; release: () => void } {
    const reached = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    const before = (): Promise<void> => {
      reached.resolve();
      return released.promise;
    };
    this.#waiting.push({ match, before });
    return { reached: reached.promise, release: released.resolve };
  }

  /** Carries a call out with the faults that are meant for it. */
  async around<T>(call: Call, carryOut: () => T): Promise<T> {
    const at = this.#waiting.findIndex(({ match }) => isFor(call, match));
    const [fault] = at === -1 ? [] : this.#waiting.splice(at, 1);
    await fault?.before?.();
    const result = carryOut();
    fault?.after?.(call);
    return result;
  }
}

function isFor(call: Call, { verb, plural, name }: CallMatch): boolean {
  return (
    (verb === undefined || verb === call.verb) &&
    (plural === undefined || plural === call.resource.plural) &&
    (name === undefined || name === call.name)
  );
}
