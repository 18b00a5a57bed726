// A policy → the bytes that the core takes (assembly/abi.ts draws them), and what its conditions are called, so that people can be
// told which of them held.
import {
  ACTION_ADD_COMMUNITIES,
  ACTION_LOCAL_PREF,
  ACTION_MED,
  ACTION_NEXT_HOP,
  ACTION_PREPEND,
  ACTION_REMOVE_COMMUNITIES,
  ACTION_WEIGHT,
  CONDITION_AS_PATH_CONTAINS,
  CONDITION_AS_PATH_LENGTH,
  CONDITION_AS_PATH_ORIGIN,
  CONDITION_AS_PATH_REGEX,
  CONDITION_COMMUNITIES,
  CONDITION_FAMILY,
  CONDITION_NEXT_HOP,
  CONDITION_PEER,
  CONDITION_PREFIXES,
  POLICY_CLAUSE_SIZE,
  POLICY_HEADER_SIZE,
  POLICY_STEP_SIZE,
  POLICY_VERSION,
  VERDICT_ACCEPT,
  VERDICT_NEXT,
  VERDICT_REJECT,
} from '../../assembly/abi.ts';
import { familyMask } from '../net/address-family.ts';
import { compilePathExpression } from './automaton.ts';
import { type CommunityKind, type CommunityPattern, communitySizes } from './community-pattern.ts';
import type {
  CommunityCondition,
  CommunityEdit,
  Policy,
  PolicyClause,
  PolicyMatch,
  PolicySet,
} from './policy.ts';
import { encodePrefixRanges } from './prefix-ranges.ts';

export interface CompiledPolicy {
  readonly bytes: Uint8Array;
  /** Per clause, its conditions in the order in which the core asks them, by their keys in the configuration. */
  readonly conditions: readonly (readonly string[])[];
}

/** What a policy's names stand for. */
export interface PolicyNames {
  /** Our AS number, for `prepend: { asn: own }`. */
  readonly asn: number;
  /** The name id of a peer (CorePeer.nameId). */
  readonly peer: (name: string) => number;
}

/** A condition or an action: `data` is a number, or bytes to be put somewhere. */
interface Step {
  readonly key: string;
  readonly kind: number;
  readonly negated?: boolean;
  readonly data: number | Uint8Array;
  readonly count: number;
}

const verdicts = { accept: VERDICT_ACCEPT, reject: VERDICT_REJECT, next: VERDICT_NEXT };
const kinds: readonly CommunityKind[] = ['standard', 'extended', 'large'];

export function compilePolicy(policy: Policy, names: PolicyNames): CompiledPolicy {
  const clauses = policy.map((clause) => ({
    clause,
    conditions: conditionsOf(clause.match, names),
    actions: actionsOf(clause.set, names),
  }));
  const steps = clauses.flatMap(({ conditions, actions }) => [...conditions, ...actions]);
  const firstStep = POLICY_HEADER_SIZE + clauses.length * POLICY_CLAUSE_SIZE;
  const places = placeData(steps, firstStep + steps.length * POLICY_STEP_SIZE);
  const bytes = new Uint8Array(places.end);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, POLICY_VERSION, true);
  view.setUint32(4, clauses.length, true);
  view.setUint32(8, bytes.length, true);
  let at = firstStep;
  for (const [index, { clause, conditions, actions }] of clauses.entries()) {
    writeClause(view, POLICY_HEADER_SIZE + index * POLICY_CLAUSE_SIZE, clause, {
      conditions,
      actions,
      at,
    });
    at += (conditions.length + actions.length) * POLICY_STEP_SIZE;
  }
  for (const [index, step] of steps.entries()) {
    writeStep(view, firstStep + index * POLICY_STEP_SIZE, step, places.offsets);
  }
  for (const [data, offset] of places.blocks) bytes.set(data, offset);
  return { bytes, conditions: clauses.map(({ conditions }) => conditions.map(({ key }) => key)) };
}

function writeClause(
  view: DataView,
  offset: number,
  clause: PolicyClause,
  parts: {
    readonly conditions: readonly Step[];
    readonly actions: readonly Step[];
    readonly at: number;
  },
): void {
  const { conditions, actions, at } = parts;
  const prefixOnes = conditions.filter(({ kind }) => kind === CONDITION_PREFIXES).length;
  view.setUint32(offset, at, true);
  view.setUint32(offset + 4, at + conditions.length * POLICY_STEP_SIZE, true);
  view.setUint16(offset + 8, conditions.length - prefixOnes, true);
  view.setUint16(offset + 10, prefixOnes, true);
  view.setUint16(offset + 12, actions.length, true);
  view.setUint8(offset + 14, verdicts[clause.action]);
}

function writeStep(
  view: DataView,
  offset: number,
  { kind, negated, data, count }: Step,
  offsets: ReadonlyMap<Uint8Array, number>,
): void {
  view.setUint8(offset, kind);
  view.setUint8(offset + 1, negated ? 1 : 0);
  view.setUint32(offset + 4, typeof data === 'number' ? data : offsets.get(data)!, true);
  view.setUint32(offset + 8, count, true);
}

/** Where the bytes of each step go; equal bytes go to one place. */
function placeData(
  steps: readonly Step[],
  start: number,
): {
  readonly end: number;
  readonly offsets: ReadonlyMap<Uint8Array, number>;
  readonly blocks: readonly (readonly [Uint8Array, number])[];
} {
  let end = start;
  const offsets = new Map<Uint8Array, number>();
  const known = new Map<string, number>();
  const blocks: [Uint8Array, number][] = [];
  for (const { data } of steps) {
    if (typeof data === 'number') continue;
    const content = Buffer.from(data.buffer, data.byteOffset, data.length).toString('latin1');
    let offset = known.get(content);
    if (offset === undefined) {
      offset = end;
      known.set(content, offset);
      blocks.push([data, offset]);
      end += (data.length + 3) & ~3;
    }
    offsets.set(data, offset);
  }
  return { end, offsets, blocks };
}

// ---- conditions: those on attributes first, the dearest of them last, then those on the prefix ----

function conditionsOf(match: PolicyMatch, names: PolicyNames): Step[] {
  const { family, peer, asPath, nextHop, prefixes } = match;
  const steps: Step[] = [];
  const add = (key: string, kind: number, data: number | Uint8Array, count: number) =>
    steps.push({ key, kind, data, count });
  if (family) add('family', CONDITION_FAMILY, 0, familyMask(family));
  if (peer) add('peer', CONDITION_PEER, uint32s(peer.map(names.peer)), peer.length);
  if (asPath?.length) {
    const { min = 0, max = 0xffff_ffff } = asPath.length;
    add('asPath.length', CONDITION_AS_PATH_LENGTH, min, max);
  }
  if (asPath?.contains) {
    const { contains } = asPath;
    add('asPath.contains', CONDITION_AS_PATH_CONTAINS, uint32s(contains), contains.length);
  }
  if (asPath?.origin) {
    const { origin } = asPath;
    add('asPath.origin', CONDITION_AS_PATH_ORIGIN, uint32s(origin), origin.length);
  }
  for (const [index, kind] of kinds.entries()) {
    const condition = match[communityKeys[kind]];
    if (condition) {
      steps.push(
        ...communityConditions(communityKeys[kind], CONDITION_COMMUNITIES + index, condition),
      );
    }
  }
  if (nextHop) add('nextHop', CONDITION_NEXT_HOP, encodePrefixRanges(nextHop), 0);
  if (asPath?.regex !== undefined) {
    add('asPath.regex', CONDITION_AS_PATH_REGEX, compilePathExpression(asPath.regex), 0);
  }
  if (prefixes) add('prefixes', CONDITION_PREFIXES, encodePrefixRanges(prefixes), 0);
  return steps;
}

const communityKeys = {
  standard: 'communities',
  extended: 'extendedCommunities',
  large: 'largeCommunities',
} as const;

function communityConditions(
  key: string,
  kind: number,
  { any, all, none }: CommunityCondition,
): Step[] {
  const steps: Step[] = [];
  if (any) steps.push({ key: `${key}.any`, kind, ...patterns(any) });
  for (const each of all ?? []) {
    steps.push({ key: `${key}.all ${each.text}`, kind, ...patterns([each]) });
  }
  if (none) steps.push({ key: `${key}.none`, kind, negated: true, ...patterns(none) });
  return steps;
}

function patterns(list: readonly CommunityPattern[]): { data: Uint8Array; count: number } {
  const forms = list.flatMap((each) => each.forms);
  return {
    data: concatenate(forms.flatMap(({ value, mask }) => [value, mask])),
    count: forms.length,
  };
}

// ---- actions ----

function actionsOf(set: PolicySet, names: PolicyNames): Step[] {
  const { localPref, med, weight, prepend, nextHop } = set;
  const steps: Step[] = [];
  const add = (key: string, kind: number, data: number | Uint8Array, count = 0) =>
    steps.push({ key, kind, data, count });
  if (localPref !== undefined) add('localPref', ACTION_LOCAL_PREF, localPref);
  if (med !== undefined) add('med', ACTION_MED, med);
  if (weight !== undefined) add('weight', ACTION_WEIGHT, weight);
  if (prepend) {
    const { asn, count } = prepend;
    add('prepend', ACTION_PREPEND, asn === 'own' ? names.asn : asn, count);
  }
  if (nextHop) {
    const address = new Uint8Array(16);
    address.set(nextHop);
    add('nextHop', ACTION_NEXT_HOP, address, nextHop.length);
  }
  for (const [index, kind] of kinds.entries()) {
    const edit = set[communityKeys[kind]];
    if (edit) steps.push(...communityActions(kind, index, edit));
  }
  return steps;
}

function communityActions(
  kind: CommunityKind,
  index: number,
  { remove, add, replace }: CommunityEdit,
): Step[] {
  const key = communityKeys[kind];
  const size = communitySizes[kind];
  const steps: Step[] = [];
  const all = { data: new Uint8Array(2 * size), count: 1 }; // a mask of zeros: everything
  const removed = replace ? all : remove && patterns(remove);
  if (removed) steps.push({ key, kind: ACTION_REMOVE_COMMUNITIES + index, ...removed });
  const added = replace ?? add;
  if (added && added.length > 0) {
    // What is added has no wildcard; where it has two forms, the shorter AS number is the usual one.
    const data = concatenate(added.map(({ forms }) => forms[0]!.value));
    steps.push({ key, kind: ACTION_ADD_COMMUNITIES + index, data, count: added.length });
  }
  return steps;
}

function uint32s(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of values.entries()) view.setUint32(index * 4, value, true);
  return bytes;
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}
