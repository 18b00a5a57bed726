// The parser of assembly/wire, compiled by itself, behind plain functions: bytes in, one object per UPDATE out.
import { join } from 'node:path';
import { compileAssembly } from '../compile.ts';

export interface Context {
  readonly fourOctetAs?: boolean;
  readonly families?: readonly number[];
  /** Family indexes with path identifiers. */
  readonly addPath?: readonly number[];
  readonly session?: 'ebgp' | 'ibgp';
  readonly localAsn?: number;
  readonly peerAsn?: number;
  readonly enforceFirstAs?: boolean;
}

/** A route of a list: the key's bytes (as many as its bits need), the bits, and what EVPN carries beside. */
export interface Route {
  readonly pathId: number;
  readonly bits: number;
  readonly key: Uint8Array;
  readonly payload: Uint8Array;
}

export interface RouteList {
  readonly family: number;
  readonly routes: readonly Route[];
  readonly ignoredCount: number;
}

/** UpdateView, with its pointers followed. */
export interface View {
  readonly outcome: string;
  readonly errorCode: number;
  readonly errorSubcode: number;
  readonly errorAttribute: number;
  readonly errorOffset: number;
  readonly errorData: Uint8Array;
  readonly withdrawn: RouteList;
  readonly nlri: RouteList;
  readonly reach: RouteList | undefined;
  readonly unreach: RouteList | undefined;
  /** Family index + 1, or 0. */
  readonly endOfRib: number;
  readonly ignoredFamilies: number;
  readonly present: number;
  readonly origin: number;
  readonly med: number;
  readonly localPref: number;
  readonly originatorId: number;
  readonly clusterListCount: number;
  readonly asPathLength: number;
  readonly neighborAs: number;
  readonly hasOwnAs: boolean;
  readonly nextHop: Uint8Array | undefined;
  readonly reachNextHop: Uint8Array | undefined;
  readonly reachLinkLocal: Uint8Array | undefined;
  readonly attributes: Uint8Array;
}

interface Exports {
  readonly memory: WebAssembly.Memory;
  inputPtr(): number;
  contextPtr(): number;
  viewPtr(): number;
  cursorPtr(): number;
  keyPtr(): number;
  payloadPtr(): number;
  parse(size: number): void;
  open(family: number, ptr: number, end: number, hasPathId: number): void;
  next(): number;
}

const outcomes = ['accept', 'attribute-discard', 'treat-as-withdraw', 'session-reset'];
const FAMILY_COUNT = 3;
const HAS_NEXT_HOP = 1 << 2;
const HAS_MP_REACH = 1 << 7;

/** Compiles the parser; a few seconds. */
export async function loadParser(): Promise<(message: Uint8Array, context?: Context) => View> {
  const exports = (await instantiate()) as unknown as Exports;
  return (message, context = {}) => parse(exports, message, context);
}

async function instantiate(): Promise<WebAssembly.Exports> {
  const module = await compileAssembly(join(import.meta.dirname, '..', 'as', 'wire.ts'));
  const instance = await WebAssembly.instantiate(module, {
    env: {
      abort: () => {
        throw new Error('the parser aborted');
      },
    },
  });
  return instance.exports;
}

function parse(core: Exports, message: Uint8Array, context: Context): View {
  const view = new DataView(core.memory.buffer);
  const mask = (families: readonly number[]) =>
    families.reduce((bits, family) => bits | (1 << family), 0);
  const addPathMask = mask(context.addPath ?? []);
  const fields = [
    context.fourOctetAs === false ? 0 : 1,
    mask(context.families ?? [0, 1, 2]),
    addPathMask,
    context.session === 'ebgp' ? 1 : 0,
    context.localAsn ?? 0,
    context.peerAsn ?? 0,
    context.enforceFirstAs ? 1 : 0,
  ];
  fields.forEach((value, index) => {
    view.setUint32(core.contextPtr() + index * 4, value, true);
  });
  new Uint8Array(core.memory.buffer).set(message, core.inputPtr());
  core.parse(message.length);
  return readView(core, addPathMask);
}

/** The fields of UpdateView in their order, four bytes each. */
const viewFields = [
  ...['outcome', 'errorCode', 'errorSubcode', 'errorAttribute', 'errorOffset'],
  ...['errorDataPtr', 'errorDataSize', 'withdrawnPtr', 'withdrawnEnd', 'nlriPtr', 'nlriEnd'],
  ...['reachFamily', 'reachPtr', 'reachEnd', 'unreachFamily', 'unreachPtr', 'unreachEnd'],
  ...['endOfRib', 'ignoredFamilies', 'present', 'origin', 'med', 'localPref', 'originatorId'],
  ...['clusterListCount', 'asPathLength', 'neighborAs', 'hasOwnAs', 'nextHopPtr'],
  ...['reachNextHopPtr', 'reachNextHopSize', 'reachLinkLocalPtr', 'attributesPtr'],
  'attributesSize',
];

function readView(core: Exports, addPathMask: number): View {
  const words = new Uint32Array(core.memory.buffer, core.viewPtr(), viewFields.length).slice();
  const field = (name: string) => words[viewFields.indexOf(name)]!;
  const bytes = (name: string, size: number) =>
    new Uint8Array(core.memory.buffer).slice(field(name), field(name) + size);
  const list = (family: number, name: string) => {
    const hasPathId = (addPathMask >> family) & 1;
    return readList(core, family, field(`${name}Ptr`), field(`${name}End`), hasPathId);
  };
  const mpList = (name: string) => {
    const family = field(`${name}Family`);
    return family === FAMILY_COUNT ? undefined : list(family, name);
  };
  const present = field('present');
  const hasReach = (present & HAS_MP_REACH) !== 0;
  return {
    outcome: outcomes[field('outcome')]!,
    errorCode: field('errorCode'),
    errorSubcode: field('errorSubcode'),
    errorAttribute: field('errorAttribute'),
    errorOffset: field('errorOffset'),
    errorData: bytes('errorDataPtr', field('errorDataSize')),
    withdrawn: list(0, 'withdrawn'),
    nlri: list(0, 'nlri'),
    reach: mpList('reach'),
    unreach: mpList('unreach'),
    endOfRib: field('endOfRib'),
    ignoredFamilies: field('ignoredFamilies'),
    present,
    origin: field('origin'),
    med: field('med'),
    localPref: field('localPref'),
    originatorId: field('originatorId'),
    clusterListCount: field('clusterListCount'),
    asPathLength: field('asPathLength'),
    neighborAs: field('neighborAs'),
    hasOwnAs: field('hasOwnAs') === 1,
    nextHop: present & HAS_NEXT_HOP ? bytes('nextHopPtr', 4) : undefined,
    reachNextHop: hasReach ? bytes('reachNextHopPtr', field('reachNextHopSize')) : undefined,
    reachLinkLocal:
      hasReach && field('reachLinkLocalPtr') !== 0 ? bytes('reachLinkLocalPtr', 16) : undefined,
    attributes: bytes('attributesPtr', field('attributesSize')),
  };
}

function readList(
  core: Exports,
  family: number,
  ptr: number,
  end: number,
  hasPathId: number,
): RouteList {
  const routes: Route[] = [];
  core.open(family, ptr, end, hasPathId);
  const cursor = (index: number) =>
    new DataView(core.memory.buffer).getUint32(core.cursorPtr() + index * 4, true);
  while (core.next()) {
    const memory = new Uint8Array(core.memory.buffer);
    const bits = cursor(5);
    routes.push({
      pathId: cursor(4),
      bits,
      key: memory.slice(core.keyPtr(), core.keyPtr() + ((bits + 7) >> 3)),
      payload: memory.slice(core.payloadPtr(), core.payloadPtr() + cursor(6)),
    });
  }
  return { family, routes, ignoredCount: cursor(7) };
}
