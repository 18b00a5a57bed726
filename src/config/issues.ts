// zod's issues in our words: one clause with what must be and what is, one per fault.
import type { z } from 'zod';
import { formatSeen, type Path } from './problem.ts';

/** A problem before it has a line. */
export interface Fault {
  readonly path: Path;
  readonly message: string;
}

type Issue = z.core.$ZodIssue;

/** `raw` is the file as YAML read it: issues name paths into it. */
export function describeIssues(issues: readonly Issue[], raw: unknown): Fault[] {
  return issues.flatMap((issue) => describe(issue, [], raw));
}

function describe(issue: Issue, prefix: Path, raw: unknown): Fault[] {
  const path = [...prefix, ...(issue.path as Path)];
  const seen = valueAt(raw, path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ path: [...path, key], message: 'unknown key' }));
    case 'invalid_union':
      return describeUnion(issue.errors, path, raw);
    case 'invalid_key':
      return issue.issues.flatMap((inner) => [
        { path, message: `${inner.message}, is ${formatSeen(path.at(-1))}` },
      ]);
    default:
      if (seen === undefined) return [{ path, message: 'is required' }];
      return [{ path, message: `${expectation(issue)}, is ${formatSeen(seen)}` }];
  }
}

function expectation(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${typeNames[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `must be ${either(issue.values.map(String))}`;
    case 'too_small':
      return issue.origin === 'array' ? 'must not be empty' : sizeOf(issue, '≥', issue.minimum);
    case 'too_big':
      return sizeOf(issue, '≤', issue.maximum);
    default:
      return issue.message;
  }
}

function sizeOf(issue: { readonly origin: string }, sign: string, bound: number | bigint): string {
  return issue.origin === 'string' ? 'must not be empty' : `must be ${sign} ${bound}`;
}

/** The branch that got furthest speaks for the union; branches that all failed at once are named together. */
function describeUnion(branches: readonly Issue[][], path: Path, raw: unknown): Fault[] {
  const deep = branches.filter((issues) => issues.every((issue) => !refusesType(issue)));
  const best = deep[0];
  if (best !== undefined) return best.flatMap((issue) => describe(issue, path, raw));
  const seen = valueAt(raw, path);
  if (seen === undefined) return [{ path, message: 'is required' }];
  const expected = branches.flatMap((issues) => issues.flatMap(alternatives));
  return [{ path, message: `must be ${either([...new Set(expected)])}, is ${formatSeen(seen)}` }];
}

function refusesType(issue: Issue): boolean {
  return issue.path.length === 0 && ['invalid_type', 'invalid_value'].includes(issue.code);
}

function alternatives(issue: Issue): string[] {
  if (issue.code === 'invalid_value') return issue.values.map(String);
  return [expectation(issue).replace(/^must be /, '')];
}

function either(values: readonly string[]): string {
  return values.length < 2
    ? String(values[0])
    : `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
}

const typeNames: Record<string, string> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
};

function valueAt(raw: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, step) =>
      typeof value === 'object' && value !== null
        ? (value as Record<string | number, unknown>)[step]
        : undefined,
    raw,
  );
}
