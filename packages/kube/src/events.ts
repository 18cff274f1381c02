// SPDX-License-Identifier: Apache-2.0
import type { Api, KubeObject } from "./api.ts";
import { sleep, type Clock } from "./clock.ts";
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
  /**
   * Until disposed, normal events give way to something that matters more, such as the writes that they are about: while
   * this says so there is a rest of ten times what an event takes after each of them, a second at the most. Warnings do
   * not wait. What is then written keeps the time at which it happened.
   *
   * @example
   * using _ = recorder.giveWay(() => gate.busy);
   */
  giveWay(isBusy: () => boolean): Disposable;
  /** Resolves when everything so far is written or dropped, after 2 s at the latest; for the end of a program. */
  flush(): Promise<void>;
}

export interface EventRecorderOptions {
  api: Pick<Api, "create" | "patch">;
  /** Who reports, `hot.dev/controller`. */
  component: string;
  /** Which of several replicas; default: the component. */
  instance?: string;
  clock: Clock;
  onError?: (error: unknown) => void;
}

/** Of each type. Beyond it the oldest are dropped: events are news, not a record. */
const MAX_WAITING = 1000;
/** Leaves room for what makes a name of at most 253 characters unique. */
const MAX_NAME = 220;
const MAX_NOTE_BYTES = 1024;
const FLUSH_MS = 2_000;

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { api, component, instance = component, clock, onError = () => undefined } = options;
  const series = createEventSeries();
  const budget = createEventBudget();
  const busy = new Set<() => boolean>();
  const isBusy = (): boolean => [...busy].some((is) => is());
  const queue = createEventQueue({ most: MAX_WAITING, clock, isBusy });
  let sequence = 0;

  const enqueue = (type: EventText["type"], write: () => Promise<unknown>, onFailure: () => void): void => {
    const writeIt = async (): Promise<void> => {
      try {
        await write();
      } catch (error) {
        onFailure();
        report(error);
      }
    };
    queue.add(type, { write: writeIt, dropped: onFailure });
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
      note: text.note,
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
    event(regarding, whole) {
      const now = clock.now();
      // Before anything is kept of it: notes can be as long as what another program answers.
      const text = { ...whole, note: cut(whole.note, MAX_NOTE_BYTES) };
      const { kind = "", metadata } = regarding;
      const object = [kind, metadata.namespace, metadata.name, metadata.uid].join("/");
      const key = JSON.stringify([object, text.type, text.reason, text.action, text.note]);
      // Warnings have a budget of their own, so that no amount of good news hides one.
      if (!series.isKnown(key, now) && !budget.take(`${text.type} ${object}`, now)) return;
      const step = series.occurred(key, now);
      if (step.do === "create") create(key, regarding, text, now);
      if (step.do === "tell") tell(text.type, step);
    },
    giveWay(toThis) {
      // One of its own, so that two who say the same are two.
      const is = (): boolean => toThis();
      busy.add(is);
      return { [Symbol.dispose]: () => void busy.delete(is) };
    },
    async flush() {
      for (const one of series.rest()) tell("Normal", one);
      const done = new AbortController();
      void queue.drain().then(() => done.abort());
      await sleep(clock, FLUSH_MS, done.signal);
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
