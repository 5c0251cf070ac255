/** One stream for all tabs: a browser opens at most six connections to a host, and each stream would hold one. */

import { follow, type LiveLink, type LiveMessage } from "./sse.ts";

interface SharedScope {
  onconnect: ((connected: MessageEvent) => void) | null;
}

export type FromWorker = { link: LiveLink } | { message: LiveMessage };

const ports = new Set<MessagePort>();
/** What a tab that joins later has missed and cannot wait for: the next minute may be the first for long, or never come. */
const newest = new Map<string, LiveMessage>();
let link: LiveLink = "connecting";

function tell(word: FromWorker): void {
  for (const port of ports) port.postMessage(word);
}

(self as unknown as SharedScope).onconnect = ({ ports: [port] }) => {
  if (!port) return;
  ports.add(port);
  port.onmessage = ({ data }) => {
    if (data === "leave") ports.delete(port);
  };
  port.start();
  port.postMessage({ link } satisfies FromWorker);
  for (const message of newest.values()) port.postMessage({ message } satisfies FromWorker);
};

void follow("/api/v1/live", {
  message: (message) => {
    if (message.kind === "resync") newest.delete("minute");
    else if (message.kind === "minute" || message.kind === "clock") newest.set(message.kind, message);
    tell({ message });
  },
  link: (now) => {
    link = now;
    tell({ link });
  },
});
