// SPDX-License-Identifier: Apache-2.0
import type { Api, KubeObject } from "./api.ts";
import { sleep, systemClock, type Clock } from "./clock.ts";
import { createEventBudget } from "./event-budget.ts";
import { createEventQueue } from "./event-queue.ts";
import { createEventSeries, type Told } from "./event-series.ts";
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

/**
 * Best effort: an event that can't be written is dropped, and nothing here ever throws or waits. The same text about the
 * same object within six minutes is one event with a `series` (count, time of the last). One object gets 25 normal
 * events and 25 warnings at once and one in 30 s of each in the long run, whatever happens to it.
 */
export interface EventRecorder {
  /** About an object without namespace the event is in namespace `default`, as kubectl expects it. */
  event(regarding: KubeObject, text: EventText): void;
  /** Resolves when everything so far is written or dropped, after 2 s at the latest; for the end of a program. */
  flush(): Promise<void>;
}

export interface EventRecorderOptions {
  api: Pick<Api, "create" | "patch">;
  /** Who reports, `hot.dev/controller`. */
  component: string;
  /** Which of several replicas; default: the component. */
  instance?: string;
  clock: Pick<Clock, "now">;
  onError?: (error: unknown) => void;
}

/** Of each type; more than the server takes are dropped beyond it: they are news, not a record. */
const MAX_WAITING = 1000;
/** Leaves room for what makes a name of at most 253 characters unique. */
const MAX_NAME = 220;
const MAX_NOTE_BYTES = 1024;
const FLUSH_MS = 2_000;

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { api, component, instance = component, clock, onError = () => undefined } = options;
  const series = createEventSeries();
  const budget = createEventBudget();
  const queue = createEventQueue(MAX_WAITING);
  let sequence = 0;

  const enqueue = (type: EventText["type"], write: () => Promise<unknown>, onFailure: () => void): void => {
    const added = queue.add(type, async () => {
      try {
        await write();
      } catch (error) {
        onFailure();
        report(error);
      }
    });
    if (!added) onFailure();
  };

  const report = (error: unknown): void => {
    try {
      onError(error);
    } catch {
      // A log that fails must not stop the events behind this one.
    }
  };

  const create = (key: string, regarding: KubeObject, text: EventText, now: number): void => {
    const { name = "", namespace, uid, resourceVersion } = regarding.metadata;
    const event = {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: {
        // Unique without randomness: one process counts, and processes differ in instance or time.
        name: `${nameStem(name)}.${now.toString(16)}${(sequence++).toString(16).padStart(4, "0")}`,
        namespace: namespace ?? "default",
      },
      eventTime: microTime(now),
      reportingController: component,
      reportingInstance: instance.slice(0, 128),
      action: text.action,
      reason: text.reason,
      type: text.type,
      note: cut(text.note, MAX_NOTE_BYTES),
      regarding: { apiVersion: regarding.apiVersion, kind: regarding.kind, name, namespace, uid, resourceVersion },
    };
    enqueue(
      text.type,
      async () => {
        await api.create(RESOURCES.eventsV1, event, { namespace: event.metadata.namespace });
        series.created(key, event.metadata.name, event.metadata.namespace);
      },
      () => series.failed(key),
    );
  };

  const tell = (type: EventText["type"], { key, name, namespace, count, lastAt }: Told): void => {
    const body = { series: { count, lastObservedTime: microTime(lastAt) } };
    // The API server forgets events after an hour: then the next occurrence is a new one.
    enqueue(
      type,
      () => api.patch(RESOURCES.eventsV1, name, { type: "merge", body }, { namespace }),
      () => series.failed(key),
    );
  };

  return {
    event(regarding, text) {
      const now = clock.now();
      const { kind = "", metadata } = regarding;
      const object = [kind, metadata.namespace, metadata.name, metadata.uid].join("/");
      const key = JSON.stringify([object, text.type, text.reason, text.action, text.note]);
      // Warnings have a budget of their own, so that no amount of good news hides one.
      if (!series.isKnown(key, now) && !budget.take(`${text.type} ${object}`, now)) return;
      const step = series.occurred(key, now);
      if (step.do === "create") create(key, regarding, text, now);
      if (step.do === "tell") tell(text.type, step);
    },
    async flush() {
      for (const one of series.rest()) tell("Normal", one);
      const done = new AbortController();
      void queue.idle().then(() => done.abort());
      await sleep(systemClock, FLUSH_MS, done.signal);
    },
  };
}

/** `metav1.MicroTime`. */
function microTime(millis: number): string {
  return new Date(millis).toISOString().replace("Z", "000Z");
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
