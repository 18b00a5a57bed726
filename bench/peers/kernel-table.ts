// How many routes the kernel's main table holds, without a dump: one small read from proc(5), from any process inside.
import { readFileSync } from 'node:fs';

/** `pid` lives in the namespace that is meant. */
export function countKernelRoutes(pid: number): number {
  return parseMainPrefixes(readFileSync(`/proc/${pid}/net/fib_triestat`, 'utf8'));
}

/** `Prefixes:` in the section `Main:` of fib_triestat. */
export function parseMainPrefixes(text: string): number {
  const main = /^Main:\n((?:\t.*\n?)*)/m.exec(text)?.[1] ?? '';
  return Number(/Prefixes:\s+(\d+)/.exec(main)?.[1] ?? 0);
}
