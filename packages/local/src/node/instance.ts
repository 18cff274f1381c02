// SPDX-License-Identifier: Apache-2.0

/**
 * One start of one container, as the runtime reports it. A restart makes a new instance with a new id. Frozen: a change
 * of state replaces the object.
 */
export interface Instance {
  /** `local://<random>`, the containerID of the pod status. */
  readonly id: string;
  readonly container: string;
  readonly init: boolean;
  /** The image as `spec` named it at the start: what a change of image is compared with. */
  readonly image: string;
  /** The image as the status names it: one of its tags. */
  readonly reportedImage: string;
  readonly imageID: string;
  readonly restartCount: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly exit?: Exit;
}

export interface Exit {
  /** As a shell reports it: 128 + signal number when a signal ended the process. */
  readonly code: number;
  readonly reason: string;
  readonly message?: string;
  readonly finishedAt: number;
}

/** The newest instance of a container; `instances` are ordered newest first. */
export function newest(instances: readonly Instance[], container: string): Instance | undefined {
  return instances.find((instance) => instance.container === container);
}
