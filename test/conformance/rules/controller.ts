// SPDX-License-Identifier: Apache-2.0
import {
  IN_PLACE_STATE_ANNOTATION,
  VERSION_ANNOTATION_PREFIX,
  WORKING_ANNOTATION,
  intOrPercentProblem,
  pairNames,
  parseImage,
  type Pod,
  type SidecarContainer,
} from "@hot/spec";
import { isDeepStrictEqual } from "node:util";
import { essence, type RoundCase, type StrategyCase } from "../compare/controller.ts";
import type { Rule } from "./rule.ts";

export const strategyRules: Rule<StrategyCase>[] = [
  {
    id: "percentages",
    holds: ({ input }, { actual }) => {
      const { partition, maxUnavailable } = input.updateStrategy;
      const unreadable = [partition, maxUnavailable].some((value) => value !== undefined && intOrPercentProblem(value));
      return unreadable && (actual as { upgrade: string[] }).upgrade.length === 0;
    },
  },
];

type RoundRule = Rule<RoundCase, Pod>;

/** The hot containers of a case with both sides, as the pod has them. */
function pairs({
  input,
}: RoundCase): { container: SidecarContainer; sides: { name: string; image: string; ready: boolean }[] }[] {
  const hot = (input.sidecarSet.spec.containers ?? []).filter(
    (one) => one.upgradeStrategy?.upgradeType === "HotUpgrade",
  );
  return hot.map((container) => ({ container, sides: pairNames(container.name).map((name) => side(input.pod, name)) }));
}

function side(pod: Pod, name: string): { name: string; image: string; ready: boolean } {
  const image = pod.spec.containers.find((one) => one.name === name)?.image ?? "";
  return { name, image, ready: pod.status?.containerStatuses?.find((one) => one.name === name)?.ready ?? false };
}

const isEmpty = ({ upgradeStrategy }: SidecarContainer, { image }: { image: string }): boolean =>
  image === upgradeStrategy?.hotUpgradeEmptyImage;

const isUpgrading = (one: RoundCase): boolean =>
  pairs(one).some(({ container, sides }) => sides.every((entry) => !isEmpty(container, entry)));

/** The started upgrade was finished, as Kruise does it where it is not held back. */
function isFinished(one: RoundCase, ours: Pod): boolean {
  const flipped = one.expected.afterFlip?.pod;
  const name = one.input.sidecarSet.metadata.name ?? "";
  return flipped !== undefined && isDeepStrictEqual(essence(ours, name), essence(flipped, name));
}

/**
 * No side that was ready and served has lost its image to the empty one while the other does not serve: whatever was
 * done, a pair that could serve still can.
 */
function stillServes(one: RoundCase, ours: Pod): boolean {
  return pairs(one).every(({ container, sides }) => {
    const serving = sides.filter((entry) => entry.ready && !isEmpty(container, entry));
    const kept = serving.filter((entry) => side(ours, entry.name).image === entry.image);
    return serving.length === 0 || kept.length > 0;
  });
}

function parsed(pod: Pod, annotation: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(pod.metadata.annotations?.[annotation] ?? "{}") as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

function version({ input }: RoundCase, name: string): number {
  return Number(input.pod.metadata.annotations?.[VERSION_ANNOTATION_PREFIX + name] ?? 0);
}

/**
 * What the webhook and the controller write together does not fit together: the working side is the standby, the standby
 * has a version, both sides have one version or one image, or the hash does not say what the working side runs.
 */
function isContradictory(one: RoundCase): boolean {
  const working = parsed(one.input.pod, WORKING_ANNOTATION) ?? {};
  const isUpdated = one.expected.booleans["isPodUpdated"] === true;
  return pairs(one).some(({ container, sides }) => {
    const works = sides.find(({ name }) => name === working[container.name]);
    const empty = sides.filter((entry) => isEmpty(container, entry));
    const [first, second] = sides;
    return (
      works === undefined ||
      empty.includes(works) ||
      empty.some(({ name }) => version(one, name) !== 0) ||
      (empty.length === 0 &&
        (first?.image === second?.image || version(one, first?.name ?? "") === version(one, second?.name ?? ""))) ||
      isUpdated !== (works.image === container.image)
    );
  });
}

const isStopped = ({ input }: RoundCase): boolean => {
  const { updateStrategy } = input.sidecarSet.spec;
  return updateStrategy?.paused === true || updateStrategy?.type === "NotUpdate";
};

export const roundRules: RoundRule[] = [
  {
    id: "stopped-in-mid-upgrade",
    exception: true,
    holds: (one, { ours }) => isStopped(one) && isUpgrading(one) && isFinished(one, ours),
  },
  {
    id: "working-annotation",
    exception: true,
    holds: (one, { ours }) => {
      const working = parsed(one.input.pod, WORKING_ANNOTATION) ?? {};
      const isWrong = pairs(one).some(
        ({ container }) => !pairNames(container.name).includes(String(working[container.name])),
      );
      return isWrong && stillServes(one, ours);
    },
  },
  {
    id: "both-sides-empty",
    exception: true,
    holds: (one, { ours }) =>
      pairs(one).some(
        ({ container, sides }) =>
          sides.every((entry) => isEmpty(container, entry)) &&
          sides.some((entry) => side(ours, entry.name).image === container.image),
      ),
  },
  {
    id: "empty-image-changed",
    exception: true,
    holds: (one, { ours }) => {
      const { annotations = {} } = one.input.pod.metadata;
      const isOtherEmpty = ({ container, sides }: ReturnType<typeof pairs>[number]): boolean =>
        sides.some(
          (entry) => annotations[VERSION_ANNOTATION_PREFIX + entry.name] === "0" && !isEmpty(container, entry),
        );
      return pairs(one).some(isOtherEmpty) && isDeepStrictEqual(ours.spec.containers, one.input.pod.spec.containers);
    },
  },
  {
    id: "unproven-side",
    exception: true,
    // The side with the least version that is not empty served before the upgrade began.
    holds: (one, { ours }) =>
      isUpgrading(one) &&
      pairs(one).some(({ sides }) => sides.every(({ ready }) => !ready)) &&
      pairs(one).every(({ sides }) => {
        const [older] = sides.toSorted((a, b) => version(one, a.name) - version(one, b.name));
        return older === undefined || side(ours, older.name).image === older.image;
      }),
  },
  {
    id: "broken-in-place-state",
    exception: true,
    holds: (one, { ours }) =>
      parsed(one.input.pod, IN_PLACE_STATE_ANNOTATION) === undefined && isUpgrading(one) && isFinished(one, ours),
  },
  {
    id: "versions-grow",
    exception: true,
    holds: (one, { ours, wanted }) => {
      const theirs = (wanted as { pod: { images: object } }).pod.images;
      const grown = pairs(one).some(({ sides }) =>
        sides.some(({ name }) => {
          const before = sides.map((entry) =>
            Number(one.input.pod.metadata.annotations?.[VERSION_ANNOTATION_PREFIX + entry.name]),
          );
          return Number(ours.metadata.annotations?.[VERSION_ANNOTATION_PREFIX + name]) > Math.max(...before);
        }),
      );
      const images = Object.fromEntries(ours.spec.containers.map(({ name, image }) => [name, image]));
      return grown && isDeepStrictEqual(images, theirs);
    },
  },
  {
    id: "image-names",
    holds: ({ input }, { ours }) =>
      input.pod.spec.containers.some(({ image = "" }) => parseImage(image)?.digest !== undefined) &&
      isDeepStrictEqual(ours.spec.containers, input.pod.spec.containers),
  },
  {
    id: "unrelated-containers",
    exception: true,
    holds: (one, { ours }) =>
      isUpgrading(one) && pairs(one).every(({ sides }) => sides.some(({ ready }) => ready)) && isFinished(one, ours),
  },
  {
    id: "rollback",
    exception: true,
    holds: (one, { ours }) =>
      pairs(one).some(({ container, sides }) => {
        const [older, newer] = sides.toSorted((a, b) => version(one, a.name) - version(one, b.name));
        return (
          isUpgrading(one) &&
          newer?.image !== container.image &&
          side(ours, older?.name ?? "").image === older?.image &&
          isEmpty(container, side(ours, newer?.name ?? ""))
        );
      }),
  },
  // States that no controller writes: repaired, adopted or reported here. Judged by what must never happen.
  {
    id: "contradictory-state",
    exception: true,
    holds: (one, { ours }) => isContradictory(one) && stillServes(one, ours),
  },
];
