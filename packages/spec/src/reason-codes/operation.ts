// SPDX-License-Identifier: Apache-2.0
import type { Family } from "./family.ts";

/** HOT5xxx. 50xx: start · 51xx: API · 52xx: certificates · 53xx: admission requests. */
export const operationCodes = {
  ConfigInvalid: ["HOT5001", "The configuration is not valid.", "Correct the option that is named."],
  CrdMissing: [
    "HOT5002",
    "The CustomResourceDefinition sidecarsets.apps.kruise.io is not installed.",
    "Install the chart's CRDs.",
  ],
  CrdOutdated: [
    "HOT5003",
    "The installed CustomResourceDefinition lacks spec.updateStrategy.hotUpgrade: the API server drops the field without an error, and its defaults apply.",
    "Install the chart's definition (crds.install=true); as long as Kruise's has to stay, do not rely on the field.",
  ],
  PortTaken: ["HOT5004", "The port is in use.", "Stop the other process or choose another port."],
  ApiUnreachable: [
    "HOT5101",
    "The Kubernetes API can't be reached.",
    "Check the kubeconfig, the network and the API server.",
  ],
  ApiForbidden: [
    "HOT5102",
    "The Kubernetes API denies the request.",
    "Read the cause in the message: `helm upgrade` puts missing roles right; a quota or a policy has to be changed by its owner.",
  ],
  ApiThrottled: [
    "HOT5104",
    "The Kubernetes API asks for fewer requests.",
    "Nothing to do; requests are sent again later.",
  ],
  WatchStale: [
    "HOT5105",
    "A watch has been silent for too long and is started again.",
    "If it repeats, check proxies between here and the API server.",
  ],
  CertificateExpiring: [
    "HOT5201",
    "The serving certificate ends soon and could not be renewed.",
    "Check the permission on the certificate's Secret.",
  ],
  CertificateInvalid: [
    "HOT5202",
    "The certificate or its key can't be used.",
    "Delete the certificate's Secret; it is created again.",
  ],
  ReviewMalformed: [
    "HOT5301",
    "The admission review can't be read.",
    "Send an AdmissionReview of admission.k8s.io/v1.",
  ],
  ReviewTooLarge: ["HOT5302", "The admission review is too large or too deep.", "Send a smaller object."],
  ReviewUnsupported: [
    "HOT5303",
    "The review is for a kind or version that is not handled here.",
    "Correct the rules of the webhook configuration.",
  ],
  Internal: ["HOT5901", "A fault of this program.", "Report it with the log lines around it."],
} as const satisfies Family;
