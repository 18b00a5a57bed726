// How long to wait before the next connection attempt. Pure: the caller has the clock and the dice.

export interface BackoffOptions {
  readonly firstMs: number;
  readonly mostMs: number;
}

/**
 * Delay before attempt number `attempt` (0 is the first after a good connection). Every remote of a list is tried once before
 * the first wait; then the wait doubles per round up to `mostMs`. `random` in [0, 1) spreads it over ±25 %, so that the
 * agents of a cluster do not return to a restarted server in step.
 */
export function backoffDelay(
  attempt: number,
  remoteCount: number,
  options: BackoffOptions,
  random: number,
): number {
  const round = Math.floor(attempt / remoteCount);
  if (attempt % remoteCount !== 0 || round === 0) return 0;
  const delay = Math.min(options.firstMs * 2 ** (round - 1), options.mostMs);
  return Math.round(delay * (0.75 + random / 2));
}
