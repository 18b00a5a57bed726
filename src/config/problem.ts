// What is wrong with a configuration: a path into the file and one clause.

export interface Problem {
  /** `bgp.peers[2].holdTime`; empty when it concerns the whole file. */
  readonly path: string;
  /** One clause: what must be, and what is. */
  readonly message: string;
  /** Position in the file, counted from 1. */
  readonly line?: number;
  readonly column?: number;
}

export type Path = readonly (string | number)[];

/** `['bgp', 'peers', 2, 'holdTime']` → `bgp.peers[2].holdTime`. */
export function formatPath(path: Path): string {
  return path
    .map((step, index) =>
      typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`,
    )
    .join('');
}

/** `4:7 bgp.peers[2].holdTime: must be 0 or ≥ 3s, is 2s`. */
export function formatProblem(problem: Problem): string {
  const position = problem.line === undefined ? '' : `${problem.line}:${problem.column} `;
  const path = problem.path === '' ? '' : `${problem.path}: `;
  return `${position}${path}${problem.message}`;
}

/** What stands in the file, short enough for a message. */
export function formatSeen(seen: unknown): string {
  if (typeof seen === 'string') return seen === '' ? 'empty' : shorten(seen);
  if (Array.isArray(seen)) return seen.length === 0 ? 'empty' : 'a list';
  if (typeof seen === 'object' && seen !== null) return 'a map';
  return String(seen);
}

function shorten(seen: string): string {
  return seen.length > 60 ? `${seen.slice(0, 57)}…` : seen;
}
