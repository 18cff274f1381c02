// SPDX-License-Identifier: Apache-2.0
import type { Api } from "@hot/kube";
import type { Pod } from "@hot/spec";

/** A node to test, and the API through which it is told and tells what is. */
export interface NodeTarget {
  readonly api: Api;
  readonly nodeName: string;
  /** Runs a script in a running container, in its working directory. */
  exec(pod: Pod, container: string, script: string): Promise<string>;
  /** The kubelet is killed; containers go on. */
  crash(): Promise<void>;
  /** Another kubelet starts over them. */
  restart(): Promise<void>;
}

/** A script of `sh`, with `sleep`, `test` and `cat` at hand, in a directory of its own that it may write to. */
interface ScriptImage {
  readonly script: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Makes a file `up` once its trap is set. */
const serve = (onTerm: string, begin = ""): string =>
  `${begin}trap '${onTerm}' TERM; : > up; while :; do sleep 60 & wait $!; done`;

/** The images of the contract, by tag: what every node under test must be able to run. */
export const SCRIPTS = {
  a: { script: serve("exit 0"), env: { IMAGE: "a" } },
  b: { script: serve("exit 0"), env: { IMAGE: "b" } },
  c: { script: serve("exit 0"), env: { IMAGE: "c" } },
  "tells-version": { script: serve("exit 0", 'echo "version=$VERSION" > version; ') },
  "asks-stopped": { script: serve("test -e stopped && exit 3; exit 4") },
  "asks-over": { script: serve("test -e over && exit 3; exit 4") },
  stubborn: { script: 'trap "" TERM; : > up; while :; do sleep 1; done' },
  good: { script: "exit 0" },
  bad: { script: "exit 3" },
} as const satisfies Record<string, ScriptImage>;

export const imageOf = (tag: keyof typeof SCRIPTS | "nowhere"): string => `localhost/contract:${tag}`;
