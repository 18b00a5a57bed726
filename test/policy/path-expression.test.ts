// Regular expressions on AS_PATHs: the automaton against JavaScript's engine on random expressions and paths, and what is refused.
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { POLICY_FIRST } from '../../assembly/abi.ts';
import { loadCore } from '../../src/core/core.ts';
import type { RouteCore } from '../../src/core/route-core.ts';
import { parsePrefix } from '../../src/net/prefix.ts';
import { compilePathExpression } from '../../src/policy/automaton.ts';
import { compilePolicy } from '../../src/policy/compile.ts';
import { ExpressionError } from '../../src/policy/path-expression.ts';
import { attribute } from '../core/updates.ts';
import { pathText, type Segment, toRegExp } from '../naive/policy.ts';

const asn = fc.constantFrom(1, 2, 12, 121, 65001, 4294967295);
const segment: fc.Arbitrary<Segment> = fc.record({
  type: fc.constantFrom('sequence', 'sequence', 'set', 'confedSequence', 'confedSet'),
  asns: fc.array(asn, { minLength: 1, maxLength: 3 }),
});
const path = fc.array(segment, { maxLength: 3 });

const atom = fc.constantFrom(
  '1',
  '2',
  '12',
  '65001',
  ' ',
  '.',
  '_',
  '^',
  '$',
  '[12]',
  '[^1 ]',
  ',',
  '[0-9]',
  '\\{',
  '\\}',
  '\\(',
  '\\[',
);
/** Groups are repeated a few times at most: JavaScript's engine would go back without end in nested stars. */
const { expression } = fc.letrec<{ expression: string; part: string }>((tie) => ({
  part: fc
    .oneof(
      {
        weight: 3,
        arbitrary: fc.tuple(atom, fc.constantFrom('', '', '*', '+', '?', '{2}', '{1,}')),
      },
      {
        weight: 1,
        arbitrary: fc.tuple(
          tie('expression').map((inner) => `(${inner})`),
          fc.constantFrom('', '', '?', '{2}', '{0,2}'),
        ),
      },
    )
    .map(([inner, bounds]) => {
      if (/^[$^_]$/.test(inner)) return inner;
      return /^\d\d/.test(inner) ? `(${inner})${bounds}` : `${inner}${bounds}`;
    }),
  expression: fc.oneof(
    { maxDepth: 2 },
    fc.array(tie('part'), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('')),
    fc.tuple(tie('part'), tie('part')).map((parts) => parts.join('|')),
  ),
}));

describe('an expression', () => {
  let core: RouteCore;
  beforeAll(async () => {
    core = await loadCore();
  });

  function matches(regex: string, segments: readonly Segment[]): boolean {
    const policy = [{ match: { asPath: { regex } }, set: {}, action: 'accept' as const }];
    core.setPolicy(POLICY_FIRST, compilePolicy(policy, { asn: 1, peer: () => 0 }).bytes);
    const types = { set: 1, sequence: 2, confedSequence: 3, confedSet: 4 };
    const value = segments.flatMap(({ type, asns }) => [
      types[type],
      asns.length,
      ...asns.flatMap(u32),
    ]);
    const attributes = Uint8Array.from([
      ...attribute(0x40, 1, [0]),
      ...attribute(value.length > 255 ? 0x50 : 0x40, 2, value),
    ]);
    return core.tryPolicy(POLICY_FIRST, { prefix: parsePrefix('10.0.0.0/8')!, attributes, peer: 0 })
      .accepted;
  }

  it('matches the paths that JavaScript’s engine matches', () => {
    fc.assert(
      fc.property(expression, fc.array(path, { minLength: 1, maxLength: 6 }), (regex, paths) => {
        fc.pre(isWithinLimits(regex));
        for (const segments of paths) {
          expect(matches(regex, segments), `${regex} on ${pathText(segments)}`).toBe(
            toRegExp(regex).test(pathText(segments)),
          );
        }
      }),
      { numRuns: 500 },
    );
  });

  // test/system/path-expressions.test.ts asks FRR of the same.
  it.each([
    ['^$', '', true],
    ['^$', '65001', false],
    ['_65001_', '65001', true],
    ['_65001_', '7 65001 8', true],
    ['_65001_', '165001', false],
    ['_65001_', '7 {65001 8}', true],
    ['^65001_', '65001 8', true],
    ['_8$', '65001 8', true],
    ['_8$', '65001 18', false],
    ['^65001 (3356|174)_', '65001 174 9', true],
    ['^65001 (3356|174)_', '65001 1741', false],
    ['^[0-9]+$', '65001', true],
    ['^[0-9]+$', '65001 8', false],
    ['^(65001 )+8$', '65001 65001 8', true],
  ])('%s on "%s": %s', (regex, text, expected) => {
    const segments = text.split(/(\{[^}]*\})/).flatMap((part): Segment[] => {
      const asns = [...part.matchAll(/\d+/g)].map(([digits]) => Number(digits));
      if (asns.length === 0) return [];
      return [{ type: part.startsWith('{') ? 'set' : 'sequence', asns }];
    });
    expect(matches(regex, segments)).toBe(expected);
  });

  it('that makes others go back without end takes a step per symbol', () => {
    const segments = [{ type: 'sequence' as const, asns: new Array(255).fill(4294967295) }];
    expect(matches('^(([0-9]+ ?)+)+\\{$', segments)).toBe(false);
  });

  it.each([
    ['(1', 'must have a closing )'],
    ['1)', 'must have an opening ('],
    ['[12', 'must have a closing ]'],
    ['*1', 'must have something before *'],
    ['1**', 'must not repeat a repetition'],
    ['1{3,2}', 'must repeat from a smaller'],
    ['1{999}', 'must repeat from a smaller'],
    ['1{x}', 'must have {2}'],
    ['(1)\\1', 'must not have \\1'],
    ['(?=1)', 'must have something before ?'],
    ['AS1', 'must be of digits'],
    ['[2-1]', 'must be a range'],
    [`${'('.repeat(60)}1${')'.repeat(60)}`, 'must not be nested'],
    ['1'.repeat(2000), 'must have at most'],
    ['((1{200}){200}){2}', 'must be shorter'],
    ['1[0-9]{12}2', 'too many states'],
  ])('%s is refused', (regex, message) => {
    expect(() => compilePathExpression(regex)).toThrow(ExpressionError);
    expect(() => compilePathExpression(regex)).toThrow(message);
  });
});

/** An expression that needs too many states is refused, as it should be. */
function isWithinLimits(regex: string): boolean {
  try {
    compilePathExpression(regex);
    return true;
  } catch (error) {
    expect((error as Error).message).toMatch(/too many states|must be shorter/);
    return false;
  }
}

function u32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}
