/**
 * One live stream, read with fetch: unlike EventSource it keeps Last-Event-ID over any kind of cut, and it hears the
 * heartbeats, so a connection that died silently is noticed.
 */

export interface LiveMessage {
  kind: string;
  body: unknown;
}

export type LiveLink = "connecting" | "open" | "lost";

export interface LiveListener {
  message(message: LiveMessage): void;
  link(link: LiveLink): void;
}

const SILENCE_MS = 40_000; // two and a half heartbeats
const RETRY_MS = [500, 1_000, 2_000, 5_000, 10_000];

/** Follow the stream for ever, again after every cut, from the last message that was seen. */
export async function follow(address: string, listener: LiveListener): Promise<never> {
  let lastId = "";
  let failures = 0;
  for (;;) {
    listener.link(failures === 0 ? "connecting" : "lost");
    const cut = new AbortController();
    let watchdog = 0;
    const alive = () => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => cut.abort(), SILENCE_MS) as unknown as number;
    };
    try {
      alive();
      const headers: HeadersInit = { accept: "text/event-stream" };
      if (lastId) headers["last-event-id"] = lastId;
      const answer = await fetch(address, { headers, signal: cut.signal, cache: "no-store" });
      if (!answer.ok || !answer.body) throw new Error(`live feed: ${answer.status}`);
      listener.link("open");
      failures = 0;
      for await (const block of blocks(answer.body, alive)) {
        const { id, kind, text } = parsed(block);
        if (id !== undefined) lastId = id;
        if (text !== "") listener.message({ kind, body: JSON.parse(text) as unknown });
        else if (kind === "resync") listener.message({ kind, body: null });
      }
    } catch {
      // every reason ends alike: say so, wait, try again
    } finally {
      clearTimeout(watchdog);
      cut.abort();
    }
    failures += 1;
    listener.link("lost");
    await new Promise((done) => setTimeout(done, RETRY_MS[Math.min(failures, RETRY_MS.length) - 1]));
  }
}

async function* blocks(body: ReadableStream<Uint8Array>, alive: () => void): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    alive();
    const parts = (rest + decoder.decode(value, { stream: true })).replaceAll("\r\n", "\n").split("\n\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}

function parsed(block: string): { id: string | undefined; kind: string; text: string } {
  let id: string | undefined;
  let kind = "message";
  const lines: string[] = [];
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    if (colon <= 0) continue;
    const value = line.slice(colon + 1).replace(/^ /, "");
    if (line.startsWith("id:")) id = value;
    else if (line.startsWith("event:")) kind = value;
    else if (line.startsWith("data:")) lines.push(value);
  }
  return { id, kind, text: lines.join("\n") };
}
