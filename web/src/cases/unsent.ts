/** Files that were chosen and have not arrived yet. Whatever they belong to is sent only with all of them. */

export type Digests = Record<string, string>;

export class Unsent {
  private readonly files = new Map<string, { send: () => Promise<string>; under_way: Promise<string> | null }>();

  /** Begin to send what was chosen under a name, instead of what was there before; returns the digest. */
  begin(name: string, send: () => Promise<string>): Promise<string> {
    this.files.set(name, { send, under_way: null });
    return this.run(name);
  }

  /** Send what is chosen under a name again, unless it is under way. */
  async run(name: string): Promise<string> {
    const mine = this.files.get(name);
    if (!mine) throw new Error(`nothing is chosen as ${name}`);
    mine.under_way ??= mine.send();
    try {
      const digest = await mine.under_way;
      if (this.files.get(name) === mine) this.files.delete(name);
      return digest;
    } finally {
      mine.under_way = null;
    }
  }

  drop(name: string): void {
    this.files.delete(name);
  }

  /** Send whatever has not arrived: it was chosen once, and is not chosen again because a network failed. */
  async rest(digests: Digests): Promise<Digests> {
    const arrived = { ...digests };
    for (const name of [...this.files.keys()]) arrived[name] = await this.run(name);
    return arrived;
  }
}
