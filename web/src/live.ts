import type { FromWorker } from "./live.worker.ts";
import { follow, type LiveListener } from "./sse.ts";

/** Listen to the district: over the stream that all tabs share, or over one's own where there is no shared worker. */
export function listen(listener: LiveListener): void {
  if (typeof SharedWorker === "undefined") {
    void follow("/api/v1/live", listener);
    return;
  }
  const worker = new SharedWorker(new URL("./live.worker.ts", import.meta.url), { type: "module", name: "anlan-live" });
  worker.onerror = () => void follow("/api/v1/live", listener);
  worker.port.onmessage = ({ data }: MessageEvent<FromWorker>) => {
    if ("link" in data) listener.link(data.link);
    else listener.message(data.message);
  };
  worker.port.start();
  addEventListener("pagehide", () => worker.port.postMessage("leave"));
  addEventListener("pageshow", ({ persisted }) => persisted && location.reload()); // it has left, and is back from the cache
}
