// SPDX-License-Identifier: Apache-2.0
import type { Api, KubeObject } from "./api.ts";
import type { Clock } from "./clock.ts";
import { RESOURCES } from "./resources.ts";

/** What happened. */
export interface EventText {
  type: "Normal" | "Warning";
  /** CamelCase, a machine reads it. */
  reason: string;
  /** One sentence for people; cut at 1 kB, the server's limit. */
  note: string;
  /** What was done or tried, CamelCase: `Upgrading`. */
  action: string;
}

/** Best effort: an event that can't be written is dropped, and nothing here ever throws or waits. */
export interface EventRecorder {
  event(regarding: KubeObject, text: EventText): void;
  /** Resolves when everything so far is written or dropped; for the end of a program. */
  flush(): Promise<void>;
}

export interface EventRecorderOptions {
  api: Pick<Api, "create">;
  /** Who reports, `hot.dev/controller`. */
  component: string;
  /** Which of several replicas; default: the component. */
  instance?: string;
  clock: Pick<Clock, "now">;
  onError?: (error: unknown) => void;
}

/** Events that wait longer than the server takes are dropped beyond this many: they are news, not a record. */
const MAX_WAITING = 1000;
/** Leaves room for what makes a name of at most 253 characters unique. */
const MAX_NAME = 220;
const MAX_NOTE_BYTES = 1024;

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { api, component, instance = component, clock, onError = () => undefined } = options;
  let waiting = 0;
  let sequence = 0;
  let last: Promise<void> = Promise.resolve();

  const write = async (event: { metadata: { namespace: string } }): Promise<void> => {
    try {
      await api.create(RESOURCES.eventsV1, event, { namespace: event.metadata.namespace });
    } catch (error) {
      onError(error);
    } finally {
      waiting--;
    }
  };

  return {
    event(regarding, { type, reason, note, action }) {
      if (waiting >= MAX_WAITING) return;
      waiting++;
      const now = clock.now();
      const { name = "", namespace, uid, resourceVersion } = regarding.metadata;
      const event = {
        apiVersion: "events.k8s.io/v1",
        kind: "Event",
        metadata: {
          // Unique without randomness: one process counts, and processes differ in instance or time.
          name: `${nameStem(name)}.${now.toString(16)}${(sequence++).toString(16).padStart(4, "0")}`,
          namespace: namespace ?? "default",
        },
        eventTime: new Date(now).toISOString().replace("Z", "000Z"), // metav1.MicroTime
        reportingController: component,
        reportingInstance: instance.slice(0, 128),
        action,
        reason,
        type,
        note: cut(note, MAX_NOTE_BYTES),
        regarding: {
          apiVersion: regarding.apiVersion,
          kind: regarding.kind,
          name,
          namespace,
          uid,
          resourceVersion,
        },
      };
      last = last.then(() => write(event));
    },
    flush: () => last,
  };
}

/** A name must end in a letter or digit before its dot; the `generateName` of a pod that has no name yet does not. */
function nameStem(name: string): string {
  return name.slice(0, MAX_NAME).replace(/[^a-z0-9]+$/i, "") || "event";
}

function cut(text: string, bytes: number): string {
  const encoded = Buffer.from(text);
  if (encoded.length <= bytes) return text;
  // A character that was cut in the middle decodes to U+FFFD.
  return `${encoded
    .subarray(0, bytes - 3)
    .toString()
    .replace(/\uFFFD+$/, "")}…`;
}
