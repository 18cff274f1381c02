// SPDX-License-Identifier: Apache-2.0
import { connect, createReflector, createWorkQueue, RESOURCES, systemClock } from "@hot/kube";

await using api = connect({ userAgent: "my-controller/1.0" });
const stop = new AbortController();
const queue = createWorkQueue<string>({ clock: systemClock });
const pods = createReflector({ api, resource: RESOURCES.pods, labelSelector: "app=web" });
pods.subscribe(({ key }) => queue.add(key));
const running = pods.run(stop.signal);
await pods.waitForSync(stop.signal);
for (let key = await queue.get(); key !== undefined; key = await queue.get()) {
  console.log(key, pods.store.get(key)?.metadata.resourceVersion ?? "is gone");
  queue.done(key);
}
await running;
