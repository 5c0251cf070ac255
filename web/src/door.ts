/** Where requests wait that found nobody signed in any more, until somebody is; then they go again. */

export class Door {
  private readonly waiting: ((opened: boolean) => void)[] = [];
  private turnedAway = false;

  /** `show` is told whether somebody has to be asked to sign in. */
  constructor(private readonly show: (shut: boolean) => void) {}

  /**
   * Wait until somebody has signed in again: false where they would not. Whoever would not is not asked for the sake of
   * what the page only reads, but again for whatever is to be written.
   */
  knock(writes: boolean): Promise<boolean> {
    if (this.turnedAway && !writes) return Promise.resolve(false);
    this.show(true);
    return new Promise((done) => this.waiting.push(done));
  }

  /** Somebody has signed in. */
  open(): void {
    this.turnedAway = false;
    this.release(true);
  }

  /** Nobody will, for now. */
  turnAway(): void {
    this.turnedAway = true;
    this.release(false);
  }

  private release(opened: boolean): void {
    this.show(false);
    for (const done of this.waiting.splice(0)) done(opened);
  }
}
