// SPDX-License-Identifier: Apache-2.0
import type { Container } from "../container.ts";
import { isRaw, type Raw } from "../defaults/raw.ts";
import { invalid, notSupported, required, type FieldErrors } from "../field-error.ts";
import { dnsSubdomainProblem } from "../label-name.ts";

const SECCOMP = ["Unconfined", "RuntimeDefault", "Localhost"];
const MAX_PROFILE_NAME = 4095;
const PROC_MOUNTS = ["Default", "Unmasked"];

/** Settings that contradict each other, with which no pod would be accepted. */
export function* validateSecurityContext({ securityContext: context }: Container, path: string): FieldErrors {
  if (!context) return;
  const at = `${path}.securityContext`;
  for (const name of ["runAsUser", "runAsGroup"]) {
    const id = context[name];
    if (typeof id === "number" && (id < 0 || id > 2 ** 31 - 1))
      yield invalid(`${at}.${name}`, id, "It must be from 0 to 2147483647.");
  }
  if (context["allowPrivilegeEscalation"] === false) {
    const capabilities = isRaw(context["capabilities"]) ? context["capabilities"]["add"] : undefined;
    if (context["privileged"] === true)
      yield invalid(at, context, "privileged and allowPrivilegeEscalation: false contradict each other.");
    if (Array.isArray(capabilities) && capabilities.some((name) => name === "CAP_SYS_ADMIN"))
      yield invalid(at, context, "CAP_SYS_ADMIN and allowPrivilegeEscalation: false contradict each other.");
  }
  const { procMount } = context;
  if (typeof procMount === "string" && !PROC_MOUNTS.includes(procMount))
    yield notSupported(`${at}.procMount`, procMount, PROC_MOUNTS);
  else if (procMount === "Unmasked")
    yield invalid(`${at}.procMount`, procMount, "Unmasked needs a pod with hostUsers: false, which is not known here.");
  for (const name of ["seccompProfile", "appArmorProfile"] as const)
    if (isRaw(context[name])) yield* validateProfile(name, context[name], `${at}.${name}`);
  if (isRaw(context["windowsOptions"])) yield* validateWindows(context["windowsOptions"], `${at}.windowsOptions`);
}

function* validateProfile(name: "seccompProfile" | "appArmorProfile", profile: Raw, at: string): FieldErrors {
  const { type, localhostProfile: file } = profile;
  if (typeof type !== "string" || type === "") yield required(`${at}.type`);
  else if (!SECCOMP.includes(type)) yield notSupported(`${at}.type`, type, SECCOMP);
  const invalidFile = (reason: string) => invalid(`${at}.localhostProfile`, file, reason);
  if (type !== "Localhost") {
    if (file !== undefined) yield invalidFile("It can only be set with type Localhost.");
  } else if (typeof file !== "string") {
    yield required(`${at}.localhostProfile`);
  } else if (name === "seccompProfile") {
    if (!isDescending(file)) yield invalidFile("It must be a relative path without '..'.");
  } else if (file.trim() === "") {
    yield required(`${at}.localhostProfile`);
  } else if (file !== file.trim() || file.length > MAX_PROFILE_NAME) {
    yield invalidFile(`It must have at most ${MAX_PROFILE_NAME} characters, and no space around them.`);
  }
}

function* validateWindows(options: Raw, at: string): FieldErrors {
  const { gmsaCredentialSpecName, gmsaCredentialSpec, runAsUserName, hostProcess } = options;
  if (typeof gmsaCredentialSpecName === "string") {
    const problem = dnsSubdomainProblem(gmsaCredentialSpecName);
    if (problem !== undefined) yield invalid(`${at}.gmsaCredentialSpecName`, gmsaCredentialSpecName, `It ${problem}.`);
  }
  if (gmsaCredentialSpec === "") yield invalid(`${at}.gmsaCredentialSpec`, "", "It must not be empty.");
  if (typeof runAsUserName === "string" && !isUserName(runAsUserName))
    yield invalid(`${at}.runAsUserName`, runAsUserName, "It must be USER or DOMAIN\\USER.");
  if (hostProcess === true)
    yield invalid(`${at}.hostProcess`, true, "It needs a pod with hostNetwork whose containers all have it.");
}

function isDescending(path: string): boolean {
  return !path.startsWith("/") && !path.split("/").includes("..");
}

function isUserName(text: string): boolean {
  const parts = text.split("\\");
  return parts.length <= 2 && parts.every((part) => part !== "") && !/\p{Cc}/u.test(text);
}
