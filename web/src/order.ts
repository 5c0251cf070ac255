/**
 * Ask, and take the answer, unless one that was asked for later has been taken already: a server that is busy may answer
 * the older question last, and what is shown would go back. A refusal of such an older one is dropped, too. `skip` lets
 * what is under way be of no account.
 */
export function inOrder<T>(ask: () => Promise<T>, take: (answer: T) => void): { (): Promise<void>; skip(): void } {
  let asked = 0;
  let taken = 0;
  const run = async (): Promise<void> => {
    const mine = ++asked;
    try {
      const answer = await ask();
      if (mine < taken) return;
      taken = mine;
      take(answer);
    } catch (fault) {
      if (mine >= taken) throw fault;
    }
  };
  return Object.assign(run, { skip: () => void (taken = ++asked) });
}
