// SPDX-License-Identifier: Apache-2.0
import { deserialize, serialize } from "node:v8";
import { HandoffError } from "./errors.ts";
import { loadNative } from "./native/addon.ts";
import type { OwnedFd } from "./native/owned-fd.ts";
import type { FdItem } from "./protocol/message.ts";
import { plainItem } from "./protocol/plain-item.ts";
import { readSealed, sealBytes } from "./sealed-bytes.ts";

/** State that the old process gives to the new one, in memory and of any size. */
export interface StateOptions<T> {
  /** Of the schema, 0 to 4,294,967,295; default 1. */
  readonly version?: number;
  /**
   * Called in the old process when a new one asks. Whatever the structured clone algorithm takes: plain values, Map, Set,
   * Date, bigint, typed arrays. What changes after that is not in it.
   */
  export(): T;
  /**
   * Called in the new process before its probe, and again when an attempt is repeated; not when there was no old one.
   * A failure calls the hand-over off: the old process goes on.
   */
  import(value: T): void | Promise<void>;
  /** Makes the value of another schema version one of this version; without it such a value is refused. */
  migrate?(value: unknown, version: number): T;
}

interface Exported {
  readonly item: FdItem;
  readonly memory: OwnedFd;
}

const VERSION_BYTES = 4;
const MAX_VERSION = 0xffff_ffff;

/** The state of the application: what it can export, and what has come and waits to be imported. */
export class States {
  readonly #declared = new Map<string, StateOptions<unknown>>();
  /** Of one attempt to take over: an import that outlives its attempt must not touch what the next one has got. */
  #arrived = new Map<string, Exported>();

  /** @throws HandoffError HOT4014 */
  declare<T>(key: string, options: StateOptions<T>): void {
    const wrong = (what: string): HandoffError => new HandoffError("HOT4014", what, { phase: "listen" });
    if (key === "" || Buffer.byteLength(key) > 255) throw wrong(`the key "${key}" has not 1 to 255 bytes`);
    if (this.#declared.has(key)) throw wrong(`state ${key} exists`);
    const { version = 1 } = options;
    if (!Number.isInteger(version) || version < 0 || version > MAX_VERSION) throw wrong(`${version} is no version`);
    this.#declared.set(key, options);
  }

  /** All of it, sealed; the caller closes the memory. Throws what the application throws. */
  export(): Exported[] {
    const exported: Exported[] = [];
    try {
      for (const [key, options] of this.#declared) {
        const meta = Buffer.alloc(VERSION_BYTES);
        meta.writeUInt32LE(options.version ?? 1);
        const memory = sealBytes([serialize(options.export())]);
        exported.push({ item: { ...plainItem("state", key), meta: new Uint8Array(meta) }, memory });
      }
      return exported;
    } catch (error) {
      for (const { memory } of exported) memory.close();
      throw error;
    }
  }

  /** Throws when the bytes could still be changed by somebody. */
  receive(item: FdItem, memory: OwnedFd): void {
    loadNative().memorySize(memory.fd);
    this.#arrived.get(item.key)?.memory.close();
    this.#arrived.set(item.key, { item, memory });
  }

  /**
   * Gives the application what has come. What nobody declared is dropped.
   *
   * @throws HandoffError HOT4015 with the application's own error as the cause.
   */
  async import(): Promise<void> {
    const arrived = this.#arrived;
    for (const [key, { item, memory }] of arrived) {
      const options = this.#declared.get(key);
      const version = Buffer.from(item.meta).readUInt32LE();
      try {
        if (options === undefined) continue;
        const value: unknown = deserialize(readSealed(memory.fd));
        await options.import(version === (options.version ?? 1) ? value : migrated(options, value, version));
      } catch (cause) {
        const what = `state ${key} of version ${version}: ${cause instanceof Error ? cause.message : String(cause)}`;
        throw new HandoffError("HOT4015", what, { phase: "probe", rolledBack: true, cause });
      } finally {
        memory.close();
        arrived.delete(key);
      }
    }
  }

  /** Closes what was not imported. */
  forget(): void {
    for (const { memory } of this.#arrived.values()) memory.close();
    this.#arrived = new Map();
  }
}

function migrated(options: StateOptions<unknown>, value: unknown, version: number): unknown {
  if (options.migrate !== undefined) return options.migrate(value, version);
  throw new Error(`this process has version ${options.version ?? 1} and no migrate`);
}
