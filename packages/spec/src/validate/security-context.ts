// SPDX-License-Identifier: Apache-2.0
import type { Container } from "../container.ts";
import { isRaw } from "../defaults/raw.ts";
import { invalid, notSupported, required, type FieldErrors } from "../field-error.ts";

const SECCOMP = ["Unconfined", "RuntimeDefault", "Localhost"];
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
  for (const name of ["seccompProfile", "appArmorProfile"]) {
    const profile = context[name];
    if (!isRaw(profile)) continue;
    const { type, localhostProfile } = profile;
    if (typeof type !== "string" || type === "") yield required(`${at}.${name}.type`);
    else if (!SECCOMP.includes(type)) yield notSupported(`${at}.${name}.type`, type, SECCOMP);
    if (type === "Localhost" && !localhostProfile) yield required(`${at}.${name}.localhostProfile`);
    else if (type === "Localhost" && typeof localhostProfile === "string" && !isDescending(localhostProfile))
      yield invalid(`${at}.${name}.localhostProfile`, localhostProfile, "It must be a relative path without '..'.");
    if (type !== "Localhost" && localhostProfile !== undefined)
      yield invalid(`${at}.${name}.localhostProfile`, localhostProfile, "It can only be set with type Localhost.");
  }
}

function isDescending(path: string): boolean {
  return !path.startsWith("/") && !path.split("/").includes("..");
}
