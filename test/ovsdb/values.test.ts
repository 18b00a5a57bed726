import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Atom,
  type AtomType,
  applyDifference,
  areEqualValues,
  type ColumnType,
  compareSets,
  decodeValue,
  defaultValue,
  encodeValue,
  parseColumnType,
  type Value,
} from '../../src/ovsdb/values.ts';

const atomOf: Record<AtomType, fc.Arbitrary<Atom>> = {
  integer: fc.integer({ min: -20, max: 20 }),
  real: fc.integer({ min: -20, max: 20 }).map((n) => n / 4),
  boolean: fc.boolean(),
  string: fc.constantFrom('', 'a', 'b', 'set', 'map', 'uuid', 'ü'),
  uuid: fc.integer({ min: 0, max: 9 }).map((n) => `0000000${n}-0000-4000-8000-000000000000`),
};

const atomType = fc.constantFrom<AtomType>('integer', 'real', 'boolean', 'string', 'uuid');

const columnType: fc.Arbitrary<ColumnType> = fc
  .record({
    shape: fc.constantFrom('scalar', 'optional', 'set', 'map'),
    key: atomType,
    value: atomType,
  })
  .map(({ shape, key, value }) => ({ shape, key, value: shape === 'map' ? value : undefined }));

function anyValue(type: ColumnType): fc.Arbitrary<Value> {
  const atom = atomOf[type.key];
  switch (type.shape) {
    case 'scalar':
      return atom;
    case 'optional':
      return fc.option(atom, { nil: undefined });
    case 'set':
      return fc.array(atom).map((atoms) => new Set(atoms));
    case 'map':
      return fc.array(fc.tuple(atom, atomOf[type.value!])).map((pairs) => new Map(pairs));
  }
}

const typedValues = columnType.chain((type) =>
  fc.record({ type: fc.constant(type), before: anyValue(type), after: anyValue(type) }),
);

/** The difference as the server makes it (ovsdb_datum_diff): what is in exactly one of the two. Slow and obvious. */
function difference(before: Value, after: Value, type: ColumnType): unknown {
  if (type.shape === 'scalar') return encodeValue(after, type);
  const was = pairsOf(before, type);
  const is = pairsOf(after, type);
  const changed = [
    ...was.filter(([key]) => !is.some((pair) => pair[0] === key)),
    ...is.filter(([key, value]) => !was.some((pair) => pair[0] === key && pair[1] === value)),
  ];
  const asMap = new Map(changed);
  if (type.shape === 'map') return encodeValue(asMap as Map<Atom, Atom>, type);
  return encodeValue(new Set(asMap.keys()), { ...type, shape: 'set' });
}

function pairsOf(value: Value, type: ColumnType): [Atom, Atom | undefined][] {
  if (value === undefined) return [];
  if (type.shape === 'map') return [...(value as ReadonlyMap<Atom, Atom>)];
  if (type.shape === 'set') return [...(value as ReadonlySet<Atom>)].map((key) => [key, undefined]);
  return [[value as Atom, undefined]];
}

function copy(value: Value): Value {
  return value instanceof Set ? new Set(value) : value;
}

describe('values', () => {
  it('reads what it writes', () => {
    fc.assert(
      fc.property(typedValues, ({ type, after }) => {
        const wire = JSON.parse(JSON.stringify(encodeValue(after, type)));
        expect(areEqualValues(decodeValue(wire, type), after)).toBe(true);
      }),
    );
  });

  it('reads the same with a value at hand that may be alike, and then gives that', () => {
    fc.assert(
      fc.property(typedValues, ({ type, before, after }) => {
        const wire = JSON.parse(JSON.stringify(encodeValue(after, type)));
        const value = decodeValue(wire, type, before);
        expect(areEqualValues(value, after)).toBe(true);
        if (type.shape === 'map' && areEqualValues(before, after)) expect(value).toBe(before);
      }),
    );
  });

  it('reads a set of one from its bare atom (RFC 7047 §5.1)', () => {
    const type: ColumnType = { shape: 'set', key: 'uuid', value: undefined };
    expect(decodeValue(['uuid', 'u'], type)).toEqual(new Set(['u']));
    expect(decodeValue('x', { ...type, key: 'string', shape: 'optional' })).toBe('x');
    expect(decodeValue(['set', []], { ...type, shape: 'optional' })).toBeUndefined();
  });

  it('applies a difference to get the new value', () => {
    fc.assert(
      fc.property(typedValues, ({ type, before, after }) => {
        fc.pre(!areEqualValues(before, after));
        const result = applyDifference(copy(before), difference(before, after, type), type);
        expect(result.after).toEqual(after);
        if (type.shape !== 'set') return;
        const expected = compareSets(before as ReadonlySet<Atom>, after as ReadonlySet<Atom>);
        expect(new Set(result.setChange!.added)).toEqual(new Set(expected.added));
        expect(new Set(result.setChange!.removed)).toEqual(new Set(expected.removed));
      }),
      { numRuns: 1000 },
    );
  });

  it('knows values apart', () => {
    fc.assert(
      fc.property(typedValues, ({ before, after }) => {
        let same = true;
        try {
          expect(before).toStrictEqual(after);
        } catch {
          same = false;
        }
        expect(areEqualValues(before, after)).toBe(same);
      }),
    );
  });

  it.each<[unknown, ColumnType, Value]>([
    ['string', { shape: 'scalar', key: 'string', value: undefined }, ''],
    ['integer', { shape: 'scalar', key: 'integer', value: undefined }, 0],
    [
      { key: 'boolean', min: 0, max: 1 },
      { shape: 'optional', key: 'boolean', value: undefined },
      undefined,
    ],
    [
      { key: { type: 'uuid', refTable: 'T' }, min: 0, max: 'unlimited' },
      { shape: 'set', key: 'uuid', value: undefined },
      new Set(),
    ],
    [
      { key: { type: 'string', enum: ['set', ['a']] } },
      { shape: 'scalar', key: 'string', value: undefined },
      '',
    ],
    [
      { key: 'string', value: 'integer', min: 0, max: 'unlimited' },
      { shape: 'map', key: 'string', value: 'integer' },
      new Map(),
    ],
    [
      { key: 'string', min: 1, max: 3 },
      { shape: 'set', key: 'string', value: undefined },
      new Set(),
    ],
  ])('reads the column type %j', (wire, type, initial) => {
    expect(parseColumnType(wire)).toEqual(type);
    expect(defaultValue(type)).toEqual(initial);
  });
});
