import { ask } from "./api.ts";

/** Fetch a file and hand it to whoever asked; unlike a plain link, a refusal comes back as an error that can be shown. */
export async function save(path: string, name: string): Promise<void> {
  const answer = await ask(path);
  const href = URL.createObjectURL(await answer.blob());
  const link = document.createElement("a");
  link.href = href;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}
