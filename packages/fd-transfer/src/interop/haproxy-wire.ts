// SPDX-License-Identifier: Apache-2.0
import { InteropError } from "./errors.ts";

/** What a new HAProxy asks on the stats socket of the old one. */
export const REQUEST = Buffer.from("_getsocks\n");
/** Of one message, together with its descriptors. */
export const MAX_BATCH = 252;
const MAX_BATCH_BYTES = 2048;
const IFNAMSIZ = 16;
const MAX_NAMESPACE = 255;

/** What follows each descriptor: namespace, interface, and four bytes that are zero since HAProxy 2.3. */
export interface Label {
  readonly namespace: string;
  readonly interfaceName: string;
}

/** In bytes; integers are in the order of the host, which is little endian wherever this package has a native part. */
export function encodeInteger(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

/** @throws InteropError HOT4037 when a name is too long. */
export function encodeLabel({ namespace, interfaceName }: Label): Buffer {
  const parts = [Buffer.from(namespace), Buffer.from(interfaceName)] as const;
  if (parts[0].length > MAX_NAMESPACE || parts[1].length >= IFNAMSIZ) {
    const limits = `${MAX_NAMESPACE} and ${IFNAMSIZ - 1} bytes`;
    throw new InteropError("HOT4037", `namespace "${namespace}", interface "${interfaceName}": at most ${limits}`);
  }
  return Buffer.concat([...parts.flatMap((part) => [Buffer.from([part.length]), part]), Buffer.alloc(4)]);
}

/** Cuts the labels into messages of at most 252 descriptors and 2 KiB. */
export function* batchesOf(labels: readonly Buffer[]): Generator<{ readonly count: number; readonly bytes: Buffer }> {
  for (let from = 0; from < labels.length;) {
    let bytes = 0;
    let to = from;
    for (let next = labels[to]; next !== undefined && to - from < MAX_BATCH; next = labels[++to]) {
      if (bytes + next.length > MAX_BATCH_BYTES) break;
      bytes += next.length;
    }
    yield { count: to - from, bytes: Buffer.concat(labels.slice(from, to)) };
    from = to;
  }
}

/** Reads the answer as it comes, cut anywhere. */
export class AnswerReader {
  readonly labels: Label[] = [];
  readonly #limit: number;
  #rest = Buffer.alloc(0);
  #total: number | null = null;
  #descriptors = 0;
  #acknowledged = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get complete(): boolean {
    return this.labels.length === this.#total;
  }

  /** Nothing has come yet. */
  get empty(): boolean {
    return this.#total === null && this.#rest.length === 0;
  }

  /**
   * Takes what one read gave. The number to acknowledge when a batch is complete: how many descriptors came before it.
   *
   * @throws InteropError HOT4031
   */
  push(bytes: Uint8Array, descriptors: number): number | null {
    this.#descriptors += descriptors;
    this.#rest = Buffer.concat([this.#rest, bytes]);
    this.#readTotal();
    if (this.#descriptors > (this.#total ?? 0)) throw violation(`${this.#descriptors} descriptors of ${this.#total}`);
    while (this.#readLabel());
    if (this.labels.length > this.#descriptors) throw violation("it announced a descriptor that did not come");
    if (this.complete && this.#rest.length > 0) throw violation("it sent more than it had announced");
    if (this.#rest.length > 0 || this.labels.length < this.#descriptors || this.labels.length === this.#acknowledged) {
      return null;
    }
    const before = this.#acknowledged;
    this.#acknowledged = this.labels.length;
    return before;
  }

  #readTotal(): void {
    if (this.#total !== null || this.#rest.length < 4) return;
    const total = this.#rest.readInt32LE();
    if (total < 1 || total > this.#limit)
      throw violation(`it announced ${total} sockets; allowed: 1 to ${this.#limit}`);
    this.#total = total;
    this.#rest = this.#rest.subarray(4);
  }

  #readLabel(): boolean {
    if (this.#total === null || this.complete) return false;
    const namespace = this.#text(0, MAX_NAMESPACE);
    const interfaceName = namespace === null ? null : this.#text(namespace.end, IFNAMSIZ - 1);
    if (namespace === null || interfaceName === null || this.#rest.length < interfaceName.end + 4) return false;
    this.labels.push({ namespace: namespace.text, interfaceName: interfaceName.text });
    this.#rest = this.#rest.subarray(interfaceName.end + 4);
    return true;
  }

  #text(at: number, limit: number): { readonly text: string; readonly end: number } | null {
    const length = this.#rest[at];
    if (length === undefined) return null;
    if (length > limit) throw violation(`a name of ${length} bytes; allowed: ${limit}`);
    const end = at + 1 + length;
    return this.#rest.length < end ? null : { text: this.#rest.toString("utf8", at + 1, end), end };
  }
}

function violation(what: string): InteropError {
  return new InteropError("HOT4031", `this is not how HAProxy passes sockets on: ${what}`);
}
