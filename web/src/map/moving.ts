/** Units move between two reports, so that the eye can follow them: the way from where one is shown to where it was last. */

type Spot = [number, number];

const FRAME_MS = 110;
const SHORTEST_MS = 250;
const LONGEST_MS = 1_400;

export class Moving {
  private readonly shown = new Map<string, Spot>();
  private readonly from = new Map<string, Spot>();
  private to = new Map<string, Spot>();
  private begun = 0;
  private lasts = LONGEST_MS;
  private timer = 0;

  constructor(
    private readonly draw: () => void,
    private readonly calm: boolean,
  ) {}

  /** Where a unit is drawn now. */
  at(id: string, fallback: Spot): Spot {
    return this.shown.get(id) ?? fallback;
  }

  /** Take the newest positions, and let those that differ glide there. */
  follow(spots: Map<string, Spot>): void {
    const at = performance.now();
    const same = [...spots].every(([id, spot]) => this.to.get(id)?.[0] === spot[0] && this.to.get(id)?.[1] === spot[1]);
    if (same && spots.size === this.to.size) return;
    this.lasts = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, at - this.begun));
    this.begun = at;
    this.to = spots;
    this.from.clear();
    for (const [id, spot] of spots) {
      const was = this.shown.get(id);
      this.from.set(id, was && !this.calm ? was : spot);
    }
    clearTimeout(this.timer);
    this.step();
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private step(): void {
    const part = this.calm ? 1 : Math.min(1, (performance.now() - this.begun) / this.lasts);
    let moves = false;
    for (const [id, [x, y]] of this.to) {
      const [a, b] = this.from.get(id) ?? [x, y];
      moves ||= a !== x || b !== y;
      this.shown.set(id, [a + (x - a) * part, b + (y - b) * part]);
    }
    this.draw();
    if (part < 1 && moves) this.timer = setTimeout(() => this.step(), FRAME_MS) as unknown as number;
    else if (moves) for (const [id, spot] of this.to) this.shown.set(id, spot);
  }
}
