// The text of a configuration file → Config, or every problem in it at once, each with its path and line.
import { type Document, isNode, LineCounter, parseDocument } from 'yaml';
import { type Config, configSchema, type ParsedConfig, type PeerConfig } from './config.ts';
import { checkAcrossKeys } from './cross-checks.ts';
import { describeIssues } from './issues.ts';
import { resolvePrefixLists } from './policies.ts';
import { formatPath, type Path, type Problem } from './problem.ts';
import { findUnsupported } from './unsupported.ts';

export type ParseResult =
  | { readonly config: Config; readonly problems?: never }
  | { readonly problems: readonly Problem[]; readonly config?: never };

/** Pure. `hostName` is the node's name where the file gives none. */
export function parseConfig(text: string, hostName = 'localhost'): ParseResult {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    return { problems: document.errors.map((error) => yamlProblem(error, lines)) };
  }
  const raw = toJavaScript(document);
  if (raw instanceof Error) return { problems: [{ path: '', message: raw.message }] };
  if (raw === null || raw === undefined) return { problems: [{ path: '', message: 'is empty' }] };

  const parsed = configSchema.safeParse(raw, { reportInput: true });
  const problems = [
    ...(parsed.success ? [] : describeIssues(parsed.error.issues, raw)),
    ...checkAcrossKeys(raw),
    ...findUnsupported(raw),
  ];
  if (parsed.success && problems.length === 0) {
    return { config: deepFreeze(complete(parsed.data, hostName)) };
  }
  return { problems: problems.map((fault) => locate(fault, document, lines)).sort(byPosition) };
}

function yamlProblem(
  error: { readonly message: string; readonly pos: [number, number] },
  lines: LineCounter,
): Problem {
  const { line, col } = lines.linePos(error.pos[0]);
  const message = `not YAML: ${error.message.charAt(0).toLowerCase()}${error.message.slice(1)}`;
  return { path: '', message, line, column: col };
}

/** yaml throws on an alias that would expand without bound, and on one that points nowhere. */
function toJavaScript(document: Document.Parsed): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    return new Error(`not YAML: ${(cause as Error).message}`, { cause });
  }
}

/** The line of the value at the path, or of the nearest map around it that exists. */
function locate(
  fault: { readonly path: Path; readonly message: string },
  document: Document.Parsed,
  lines: LineCounter,
): Problem {
  const problem = { path: formatPath(fault.path), message: fault.message };
  for (let length = fault.path.length; length >= 0; length--) {
    const node = document.getIn(fault.path.slice(0, length), true);
    if (!isNode(node) || !node.range) continue;
    const { line, col } = lines.linePos(node.range[0]);
    return { ...problem, line, column: col };
  }
  return problem;
}

function byPosition(a: Problem, b: Problem): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

/** Fills in the defaults that depend on other keys. */
function complete(parsed: ParsedConfig, hostName: string): Config {
  const peers = parsed.bgp.peers.map((peer) => completePeer(peer, parsed));
  const networks = parsed.networks.map((network) => ({
    ...network,
    advertise: network.advertise.map((entry) =>
      'communities' in entry ? entry : { prefix: entry, communities: [], policy: 'accept' },
    ),
  }));
  return {
    ...parsed,
    node: parsed.node ?? hostName,
    bgp: { ...parsed.bgp, peers },
    policies: resolvePrefixLists(parsed.policies, parsed.prefixLists),
    networks,
  };
}

function completePeer(
  peer: ParsedConfig['bgp']['peers'][number],
  config: ParsedConfig,
): PeerConfig {
  const asn = peer.asn === 'internal' ? config.bgp.asn : peer.asn;
  // RFC 8212: without a policy nothing is taken from an eBGP peer.
  const importDefault = asn === config.bgp.asn ? 'accept' : 'reject';
  return {
    ...peer,
    asn,
    keepaliveTime: peer.keepaliveTime ?? Math.floor(peer.holdTime / 3000) * 1000,
    import: peer.import ?? importDefault,
    export: peer.export === 'announce' ? 'accept' : peer.export,
  };
}

function deepFreeze<T>(value: T): T {
  // Views of memory cannot be frozen; nobody writes to an address.
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
