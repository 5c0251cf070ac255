/** The live stream: cut anywhere, it goes on after the last message that was seen. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { follow, type LiveLink, type LiveMessage } from "../src/sse.ts";

/** Answers by address: a stream is followed for ever, so each test follows one of its own. */
const served = new Map<string, (asked: Headers) => Promise<Response>>();
globalThis.fetch = (address, init) => served.get(String(address))!(new Headers(init?.headers));

/** A body that comes in these pieces, and then ends. */
function body(pieces: Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(control) {
      for (const piece of pieces) control.enqueue(piece);
      control.close();
    },
  });
}

/** Follow answers one after the other until as many messages have come; return them, the links, and what was asked. */
function followed(answers: (() => Response)[], until: number): Promise<{ messages: LiveMessage[]; links: LiveLink[]; ids: (string | null)[] }> {
  const [messages, links, ids]: [LiveMessage[], LiveLink[], (string | null)[]] = [[], [], []];
  return new Promise((done) => {
    const address = `/live/${served.size}`;
    served.set(address, async (asked) => {
      ids.push(asked.get("last-event-id"));
      const next = answers.shift();
      return next ? next() : new Promise<Response>(() => undefined);
    });
    const message = (one: LiveMessage): void => {
      messages.push(one);
      if (messages.length === until) done({ messages, links, ids });
    };
    void follow(address, { message, link: (link) => void links.push(link) });
  });
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const STREAM = 'id: 7\r\nevent: minute\r\ndata: {"name":"外滩",\r\ndata: "n":3}\r\n\r\n: heartbeat\n\nid: 8\nevent: resync\n\n';

test("a stream that is cut at every byte tells the same", async () => {
  const bytes = utf8(STREAM);
  for (const size of [1, 2, 3, 5, 7, bytes.length]) {
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, k) => bytes.slice(k * size, (k + 1) * size));
    const { messages } = await followed([() => new Response(body(pieces))], 2);
    assert.deepEqual(messages, [
      { kind: "minute", body: { name: "外滩", n: 3 } },
      { kind: "resync", body: null },
    ]);
  }
});

test("after a cut it asks from the last message on, and says that it was lost", async () => {
  const answers = [
    () => new Response(body([utf8("id: 7\ndata: 1\n\nid: 8\ndata: 2\n\nid: 9\nda")])),
    () => new Response("busy", { status: 503 }),
    () => new Response(body([utf8("id: 9\ndata: 3\n\n")])),
  ];
  const { messages, links, ids } = await followed(answers, 3);
  assert.deepEqual(messages.map((one) => one.body), [1, 2, 3]);
  assert.deepEqual(ids, [null, "8", "8"]);
  assert.deepEqual(links, ["connecting", "open", "lost", "lost", "lost", "lost", "open"]);
});
