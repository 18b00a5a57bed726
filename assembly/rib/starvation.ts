// Starvation: some memory was missing, so what was not stored or told must be made up for when there is room again (work.ts).

export let isStarved: bool = false;

export function noteStarvation(): void {
  isStarved = true;
}

export function endStarvation(): void {
  isStarved = false;
}
