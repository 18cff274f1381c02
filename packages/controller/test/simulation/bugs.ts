// SPDX-License-Identifier: Apache-2.0

interface Change {
  /** Below `src`. */
  readonly file: string;
  /** Occurs exactly once. */
  readonly from: string;
  readonly to: string;
}

/** A bug that others have made, or that is easy to make: what turns the right code into it. */
export interface Bug {
  readonly name: string;
  readonly changes: readonly Change[];
  /** What the simulation says of it. */
  readonly found: RegExp;
}

export const BUGS: readonly Bug[] = [
  {
    name: "no precondition",
    changes: [{ file: "act/apply.ts", from: "resourceVersion: pod.resourceVersion, annotations", to: "annotations" }],
    found: /I1|I2|I4|I7|I10|tried twice|not seen empty/,
  },
  {
    name: "reset on Ready alone",
    changes: [
      {
        file: "plan/pod-state.ts",
        from: "status !== undefined && generationObserved(pod, generation) && isReplaced(status, record) && observedServing(side);",
        to: "status !== undefined && (generation >= 0 || isReplaced(status, record)) && status.ready;",
      },
      {
        file: "plan/pod-state.ts",
        from: "const proven = since + leftOver(pod, container);",
        to: "const proven = since;",
      },
      {
        file: "plan/safety.ts",
        from: "return observedServing(sibling) ?",
        to: "return sibling.container.status?.ready ?",
      },
    ],
    found: /I1/,
  },
  {
    name: "receipt by image or containerID",
    changes: [
      {
        file: "plan/pod-state.ts",
        from: "isReplaced(status, record) && observedServing(side);",
        to: "(isReplaced(status, record) || onSpecImage(side)) && status.ready && status.started;",
      },
      {
        file: "plan/safety.ts",
        from: "return observedServing(sibling) ?",
        to: "return sibling.container.status?.ready ?",
      },
    ],
    found: /I1/,
  },
  {
    name: "the first started of a container with only a startupProbe is trusted",
    changes: [
      {
        file: "plan/pod-state.ts",
        from: 'if (probe === "startup") return STEADY + 2 * startupPeriod;',
        to: 'if (probe === "startup") return 0;',
      },
    ],
    found: /I1: .* never took over/,
  },
  {
    name: "abort without rewriting versionalt",
    changes: [
      {
        file: "plan/writes.ts",
        from: `      [versionKeys(target.container.name).version]: "0",
      [versionKeys(old.container.name).alt]: "0",`,
        to: `      [versionKeys(target.container.name).version]: "0",`,
      },
    ],
    found: /I10: .* versionalt/,
  },
  {
    name: "re-target in mid-upgrade",
    changes: [
      {
        file: "plan/finish-pod.ts",
        from: `    case "abort":
      return`,
        to: `    case "abort":
      if (decision.reason === "Superseded") {
        const to = sidecarSet?.spec.containers?.find((one) => one.name === pair.base)?.image ?? "";
        const record = { ...decision.record, to };
        const annotations = { [\`upgrade.hot.internal/\${pair.base}\`]: JSON.stringify(record) };
        return written({ kind: "upgrade", images: { [decision.target.container.name]: to }, annotations }, decision, "");
      }
      return`,
      },
    ],
    found: /a target is never changed/,
  },
  {
    name: "failure not recorded",
    changes: [
      {
        file: "plan/finish-pod.ts",
        from: "const failure = failed ? failureOf(pod, record, reason, sidecarSet, now) : undefined;",
        to: 'const failure = failed && base === "" ? failureOf(pod, record, reason, sidecarSet, now) : undefined;',
      },
    ],
    found: /tried twice|I6|come to rest/,
  },
  {
    name: "stale record trusted after Kruise",
    changes: [
      {
        file: "plan/hot-pair.ts",
        from: `record?.phase === "upgrade" &&
    isTargetOf(record, target.version, target.container.image) &&
    (record.version !== undefined || record.from === old.container.image);`,
        to: `record !== undefined;`,
      },
    ],
    found: /I1|I4|I7|I10|by its deadline/,
  },
  {
    name: "roles by comparing with the edited empty image",
    changes: [
      {
        file: "plan/hot-pair.ts",
        from: "return [...bases].sort().flatMap((base) => readPair(pod, base) ?? []);",
        to: `return [...bases].sort().flatMap((base) => {
    const pair = readPair(pod, base);
    const empty = sidecarSet?.spec.containers?.find((one) => one.name === base)?.upgradeStrategy?.hotUpgradeEmptyImage;
    const is = (side: Side): Side =>
      side.container.image === empty ? { ...side, version: 0n } : { ...side, version: side.version || 1n };
    return pair === undefined ? [] : [{ ...pair, sides: [is(pair.sides[0]), is(pair.sides[1])] as const }];
  });`,
      },
    ],
    found: /I1|I4|I7|I10/,
  },
  {
    name: "a stale SidecarSet turns the version order",
    changes: [
      {
        file: "plan/plan.ts",
        from: "const stale = !live && wished.length > 0 && isAhead(resourceVersion(sidecarSet)) ? wished : [];",
        to: "const stale = live && isAhead(0n) ? wished.slice(0, 0) : [];",
      },
      {
        file: "plan/writes.ts",
        from: "const candidates = [first ?? 1n, second ?? 1n, resourceVersion(sidecarSet)];",
        to: "const candidates = [first && second && 1n, resourceVersion(sidecarSet)].filter((one) => one !== undefined);",
      },
    ],
    found: /I1|I4|I7|I10|tried twice/,
  },
  {
    name: "a reset needs a unit of budget",
    changes: [
      {
        file: "plan/plan.ts",
        from: "  if (sidecarSet === undefined) return finishing;\n  const mayStart",
        to: `  if (sidecarSet === undefined) return finishing;
  const free = Number(sidecarSet.spec.updateStrategy?.maxUnavailable ?? 1) - all.filter((one) => one.holdsUnit).length;
  if (free <= 0) finishing.splice(0, finishing.length, ...finishing.filter(({ write }) => write.kind !== "reset"));
  const mayStart`,
      },
    ],
    found: /I7/,
  },
  {
    name: "the budget ignores writes in flight",
    changes: [
      { file: "plan/pod-decision.ts", from: "holdsUnit: DISTURBING.has(pending) || (", to: "holdsUnit: (" },
      { file: "plan/pod-sight.ts", from: ` || pending.get(pod.uid) === "upgrade"`, to: " && pending.size >= 0" },
    ],
    found: /I2/,
  },
  {
    name: "what one pod runs is called the last good revision",
    changes: [
      { file: "plan/status.ts", from: "ready && counters.updatedReadyPods > 0;", to: "counters.updatedReadyPods > 0;" },
    ],
    found: /I11: .* in scope/,
  },
  {
    name: "the last good revision is truncated like any other",
    changes: [
      { file: "record-revision.ts", from: "good === undefined ? [] : [good]);", to: "good === undefined ? [] : []);" },
    ],
    found: /I11: .* is deleted/,
  },
  {
    name: "an aborted pod names the aborted revision",
    changes: [
      {
        file: "plan/writes.ts",
        from: "?.[name] ?? {};\n  return putEntry(pod, {\n    ...entry,\n",
        to: "?.[name] ?? {};\n  return putEntry(pod, {\n    ...entry,\n    ...(_ !== undefined && { controllerRevision: _ }),\n",
      },
      {
        file: "plan/writes.ts",
        from: '    ...(prevRevision !== undefined && prevHash !== "" && { controllerRevision: prevRevision }),\n  });',
        to: "  });",
      },
    ],
    found: /I12/,
  },
  {
    name: "a pod whose node does not answer is upgraded first, since it is not ready",
    changes: [
      {
        file: "plan/start-pod.ts",
        from: `  if (pod.silent === true && !isMark(candidate)) return wait("NodeNotReady");\n`,
        to: "",
      },
    ],
    found: /I13: .* starts on a node/,
  },
  {
    name: "who does not answer has failed",
    changes: [
      {
        file: "plan/hot-upgrade.ts",
        from: "if (now >= deadline && isUnheard(pod, record)) return",
        to: "if (now < 0) return",
      },
    ],
    found: /I13: .* has failed/,
  },
  {
    name: "a pod whose node does not answer holds its unit",
    changes: [
      { file: "plan/pod-decision.ts", from: "(!isSilent && (seen.upgrading", to: "(!!isSilent || (seen.upgrading" },
    ],
    found: /I7: .* MaxUnavailableReached/,
  },
  {
    name: "a pause does not hold back what only gets its hash entry",
    changes: [
      {
        file: "plan/start-pod.ts",
        from: "return heldBack(sight, candidate, sidecarSet, name) ?? candidate;",
        to: "return isMark(candidate) ? candidate : (heldBack(sight, candidate, sidecarSet, name) ?? candidate);",
      },
    ],
    found: /I5: .* is marked/,
  },
  {
    name: "a pod whose write is refused holds a unit, and so blocks the others",
    changes: [
      {
        file: "plan/refused.ts",
        from: `return { ...facts, decision: { do: "wait"`,
        to: `return { ...facts, holdsUnit: true, decision: { do: "wait"`,
      },
    ],
    found: /I7: .* MaxUnavailableReached/,
  },
  {
    name: "what is refused is sent again at once",
    changes: [
      {
        file: "act/refusals.ts",
        from: "const until = now() + Math.max(AGAIN,",
        to: "const until = now() + Math.min(AGAIN,",
      },
    ],
    found: /I14/,
  },
  {
    name: "an image that a webhook has rewritten is not the wanted one",
    changes: [
      {
        file: "plan/pod-sight.ts",
        from: "updated: sidecarSet !== undefined && podHash(pod, name) === hashOf(sidecarSet),",
        to: `updated:
      sidecarSet !== undefined &&
      podHash(pod, name) === hashOf(sidecarSet) &&
      containers.every((one) => {
        const own = roles[pairs.findIndex(({ base }) => base === one.name)];
        return own?.state !== "settled" || own.serving.container.image === one.image;
      }),`,
      },
    ],
    found: /tried twice|come to rest/,
  },
  {
    name: "a retry is never used up",
    changes: [{ file: "plan/failure.ts", from: "    ...tokensOf(pod, sidecarSet),\n", to: "" }],
    found: /tried twice|I6|come to rest/,
  },
];
