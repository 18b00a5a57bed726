// OVSDB values: the JSON of the wire (RFC 7047 §5.1) ↔ plain JavaScript, and the differences of update2 notifications.
//
// A column's type says which shape its values have:
//
//   shape     in JavaScript              on the wire
//   scalar    string, number, boolean    the atom; ["uuid", "…"] for a uuid
//   optional  the atom or undefined      a set of at most one
//   set       Set of atoms               ["set", [atom, …]]; a set of one may be the bare atom
//   map       Map of atoms               ["map", [[key, value], …]]
//
// A uuid is its text: the column's type tells it from a string. Integers past 2^53 lose their last bits, as in JSON.parse.

export type Atom = string | number | boolean;
export type Value = Atom | undefined | ReadonlySet<Atom> | ReadonlyMap<Atom, Atom>;
export type AtomType = 'integer' | 'real' | 'boolean' | 'string' | 'uuid';

/** RFC 7047 §3.2 `<type>`, reduced to what reading a value needs. */
export interface ColumnType {
  readonly shape: 'scalar' | 'optional' | 'set' | 'map';
  readonly key: AtomType;
  /** Only of a map. */
  readonly value: AtomType | undefined;
}

/** A column's type as `get_schema` tells it. */
export function parseColumnType(type: unknown): ColumnType {
  if (typeof type === 'string') return { shape: 'scalar', key: type as AtomType, value: undefined };
  const { key, value, min, max } = type as { [member: string]: unknown };
  const keyType = parseBaseType(key);
  if (value !== undefined) return { shape: 'map', key: keyType, value: parseBaseType(value) };
  if ((max ?? 1) !== 1) return { shape: 'set', key: keyType, value: undefined };
  return { shape: (min ?? 1) === 0 ? 'optional' : 'scalar', key: keyType, value: undefined };
}

function parseBaseType(base: unknown): AtomType {
  return (typeof base === 'string' ? base : (base as { type: string }).type) as AtomType;
}

/** What a column holds when the server leaves it out of a row (RFC 7047 §5.2.1). */
export function defaultValue(type: ColumnType): Value {
  switch (type.shape) {
    case 'scalar':
      return defaultAtom(type.key);
    case 'optional':
      return undefined;
    case 'set':
      return NO_MEMBERS;
    case 'map':
      return NO_PAIRS;
  }
}

/** Most rows of a large table leave most columns empty: one object for all of them. */
const NO_MEMBERS: ReadonlySet<Atom> = new Set();
const NO_PAIRS: ReadonlyMap<Atom, Atom> = new Map();

function defaultAtom(type: AtomType): Atom {
  switch (type) {
    case 'integer':
    case 'real':
      return 0;
    case 'boolean':
      return false;
    case 'string':
      return '';
    case 'uuid':
      return '00000000-0000-0000-0000-000000000000';
  }
}

/** `like` is a value of the column that may be the same, as neighbouring rows' often are: an equal map is not made again. */
export function decodeValue(wire: unknown, type: ColumnType, like?: Value): Value {
  switch (type.shape) {
    case 'scalar':
      return decodeAtom(wire, type.key);
    case 'optional':
      return decodeAtoms(wire, type.key)[0];
    case 'set':
      return new Set(decodeAtoms(wire, type.key));
    case 'map':
      return like instanceof Map && isMap(wire, like, type) ? like : decodeMap(wire, type);
  }
}

function isMap(wire: unknown, map: ReadonlyMap<Atom, Atom>, type: ColumnType): boolean {
  const pairs = (wire as [string, [unknown, unknown][]])[1];
  return (
    pairs.length === map.size &&
    pairs.every(
      ([key, value]) => map.get(decodeAtom(key, type.key)) === decodeAtom(value, type.value!),
    )
  );
}

function decodeAtom(wire: unknown, type: AtomType): Atom {
  return (type === 'uuid' ? (wire as [string, string])[1] : wire) as Atom;
}

/** The members of a set. A set of one may come as the bare atom. */
function decodeAtoms(wire: unknown, type: AtomType): Atom[] {
  if (!isTagged(wire, 'set')) return [decodeAtom(wire, type)];
  return wire[1].map((atom) => decodeAtom(atom, type));
}

function decodeMap(wire: unknown, type: ColumnType): Map<Atom, Atom> {
  const pairs = (wire as [string, [unknown, unknown][]])[1];
  const map = new Map<Atom, Atom>();
  for (const [key, value] of pairs) {
    map.set(decodeAtom(key, type.key), decodeAtom(value, type.value!));
  }
  return map;
}

function isTagged(wire: unknown, tag: string): wire is [string, unknown[]] {
  return Array.isArray(wire) && wire[0] === tag;
}

/** What a set column gained and lost. */
export interface SetChange {
  readonly added: readonly Atom[];
  readonly removed: readonly Atom[];
}

/**
 * The value after an update2 difference (ovsdb-server(7), "update2 notification"): a new scalar, the members of exactly one
 * of two sets, or the pairs of a map that changed; a pair that is there with the same value is one that went.
 *
 * A set is changed in place (a router's set of 50 000 is not copied for one route) and what it gained and lost is returned.
 */
export function applyDifference(
  before: Value,
  wire: unknown,
  type: ColumnType,
): { after: Value; setChange: SetChange | undefined } {
  switch (type.shape) {
    case 'scalar':
      return { after: decodeAtom(wire, type.key), setChange: undefined };
    case 'optional':
      // Old and new are sets of at most one: what is in the difference and was not there before is the new member.
      return {
        after: decodeAtoms(wire, type.key).find((atom) => atom !== before),
        setChange: undefined,
      };
    case 'set': {
      const set = before === NO_MEMBERS ? new Set<Atom>() : (before as Set<Atom>);
      return { after: set, setChange: toggleMembers(set, decodeAtoms(wire, type.key)) };
    }
    case 'map':
      return {
        after: applyMapDifference(before as ReadonlyMap<Atom, Atom>, decodeMap(wire, type)),
        setChange: undefined,
      };
  }
}

function toggleMembers(set: Set<Atom>, atoms: readonly Atom[]): SetChange {
  const added: Atom[] = [];
  const removed: Atom[] = [];
  for (const atom of atoms) {
    if (set.delete(atom)) {
      removed.push(atom);
    } else {
      set.add(atom);
      added.push(atom);
    }
  }
  return { added, removed };
}

function applyMapDifference(
  before: ReadonlyMap<Atom, Atom>,
  difference: ReadonlyMap<Atom, Atom>,
): Map<Atom, Atom> {
  const after = new Map(before);
  for (const [key, value] of difference) {
    if (after.get(key) === value) after.delete(key);
    else after.set(key, value);
  }
  return after;
}

/** What changed between two whole values of a set column. */
export function compareSets(before: ReadonlySet<Atom>, after: ReadonlySet<Atom>): SetChange {
  return {
    added: [...after].filter((atom) => !before.has(atom)),
    removed: [...before].filter((atom) => !after.has(atom)),
  };
}

export function areEqualValues(a: Value, b: Value): boolean {
  if (a instanceof Set) return b instanceof Set && a.size === b.size && isSubset(a, b);
  if (a instanceof Map) return b instanceof Map && a.size === b.size && hasSamePairs(a, b);
  return a === b;
}

function isSubset(a: ReadonlySet<Atom>, b: ReadonlySet<Atom>): boolean {
  for (const atom of a) if (!b.has(atom)) return false;
  return true;
}

function hasSamePairs(a: ReadonlyMap<Atom, Atom>, b: ReadonlyMap<Atom, Atom>): boolean {
  for (const [key, value] of a) if (b.get(key) !== value) return false;
  return true;
}

// ---- values as a transaction writes them ----

export type WireValue = Atom | readonly ['uuid', string] | readonly [string, readonly unknown[]];

export function wireUuid(uuid: string): ['uuid', string] {
  return ['uuid', uuid];
}

export function wireUuidSet(uuids: readonly string[]): ['set', ['uuid', string][]] {
  return ['set', uuids.map(wireUuid)];
}

export function wireMap(
  pairs: readonly (readonly [Atom, Atom])[],
): ['map', (readonly [Atom, Atom])[]] {
  return ['map', [...pairs]];
}

/** A decoded value back on the wire. */
export function encodeValue(value: Value, type: ColumnType): WireValue {
  switch (type.shape) {
    case 'scalar':
      return encodeAtom(value as Atom, type.key);
    case 'optional':
      return ['set', value === undefined ? [] : [encodeAtom(value as Atom, type.key)]];
    case 'set':
      return ['set', [...(value as ReadonlySet<Atom>)].map((atom) => encodeAtom(atom, type.key))];
    case 'map':
      return [
        'map',
        [...(value as ReadonlyMap<Atom, Atom>)].map(([key, member]) => [
          encodeAtom(key, type.key),
          encodeAtom(member, type.value!),
        ]),
      ];
  }
}

function encodeAtom(atom: Atom, type: AtomType): Atom | ['uuid', string] {
  return type === 'uuid' ? ['uuid', atom as string] : atom;
}
