// `rutter explain`: every route to a prefix, what each policy made of it clause by clause, and how it won or lost.
import { Command } from 'commander';
import type { AttributeFields } from '../control/attribute-fields.ts';
import { ControlClient } from '../control/client.ts';
import type { DecisionStep } from '../control/decision-steps.ts';
import type {
  ExplainedAnnouncement,
  ExplainedClause,
  ExplainedPolicy,
  ExplainedRoute,
  Explanation,
} from '../control/explanation.ts';
import type { RouteObject } from '../control/route-object.ts';
import { flatText, type OutputFormat, outputOption, printList, printObject } from './output.ts';
import { argumentText, type PrefixArgument, readPrefixArgument } from './prefix-argument.ts';
import { asPathText, entryListing } from './routes-listing.ts';
import { socketOption } from './socket-option.ts';

interface ExplainOptions {
  readonly network: string;
  readonly peer?: string;
  readonly output: OutputFormat;
  readonly socket: string;
}

export function explainCommand(): Command {
  return new Command('explain')
    .description('why the routes to a prefix are what they are: policies, decision, targets')
    .argument(
      '<prefix>',
      'exactly this prefix, or an address for its longest match',
      readPrefixArgument,
    )
    .option('--network <name>', 'the network', 'default')
    .option('--peer <name>', 'only routes of this peer')
    .addOption(outputOption())
    .addOption(socketOption())
    .action(explain);
}

async function explain(asked: PrefixArgument, options: ExplainOptions): Promise<void> {
  const { network, peer, output, socket } = options;
  const prefix = argumentText(asked);
  const query = { prefix, network, ...(peer === undefined ? {} : { peer }) };
  const answer = (await new ControlClient(socket).get('/v1/explain', query)) as Explanation;
  if (output === 'json' || output === 'jsonl') await printObject(answer, output);
  else if (output === 'csv') await printList(answer.entries, entryListing, output);
  else {
    process.stdout.write(explanationText(answer));
    if (answer.entries.length > 0) await printList(answer.entries, entryListing, output);
    else if (answer.announcements.length === 0 && answer.routes.length > 0)
      process.stdout.write('no target has or should have it\n');
  }
  if (answer.routes.length === 0 && answer.announcements.length === 0) {
    const whose = peer === undefined ? '' : ` of peer ${peer}`;
    throw new Error(`no route${whose} to ${answer.prefix} in network ${answer.network}`);
  }
}

export function explanationText({
  routes,
  announcements,
}: Pick<Explanation, 'routes' | 'announcements'>): string {
  const parts = [...routes.map(routeLines), ...announcements.map(announcementLines)];
  return parts.map((lines) => `${lines.join('\n')}\n\n`).join('');
}

/** `10.244.1.0/24 towards tor-a: announced since …, from configuration`. */
function announcementLines({ announcement, policies }: ExplainedAnnouncement): string[] {
  const { prefix, peer, state, reason, source, since, nextHops } = announcement;
  const why = reason === undefined ? '' : `, ${reason}`;
  return [
    `${prefix} towards ${peer}: ${state}${since ? ` since ${since}` : ''}${why}`,
    `  source     ${source}`,
    ...policies.flatMap(policyLines),
    ...(nextHops.length > 0 ? [`  told       ${attributesText(announcement)}`] : []),
  ];
}

function routeLines(explained: ExplainedRoute): string[] {
  const { route, received, eligible, policies, decision } = explained;
  const from = route.importedFrom === undefined ? '' : ` imported from ${route.importedFrom}`;
  const outcome = route.best
    ? 'best path'
    : route.multipath
      ? 'shares the load'
      : eligible
        ? 'not used'
        : 'not eligible';
  const heading = `${route.prefix} of ${route.peer}${from}: ${outcome}, ${route.reason}`;
  if (route.peer === 'local') return [heading];
  return [
    heading,
    ...(received ? [`  received   ${attributesText(received)}`] : []),
    `  ${received ? 'effective' : 'received '}  ${attributesText(route)}`,
    ...policies.flatMap(policyLines),
    ...decision.map(decisionLine),
  ];
}

function attributesText(route: AttributeFields & Pick<RouteObject, 'nextHops' | 'weight'>): string {
  const { nextHops, asPath, origin, med, localPref, weight } = route;
  const { communities, extendedCommunities, largeCommunities } = route;
  const shown = {
    ...{ asPath: asPath && asPathText(asPath), origin, med, localPref, weight },
    ...{ communities, extendedCommunities, largeCommunities },
  };
  const fields = Object.entries(shown)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${flatText(value)}`);
  return [`nextHop=${nextHops.map(({ address }) => address).join(',')}`, ...fields].join('  ');
}

function policyLines({ at, policy, verdict, clauses }: ExplainedPolicy): string[] {
  const none = verdict === 'reject' && !clauses.some(({ action }) => action === 'reject');
  const because = none && clauses.length > 0 ? ', no clause decided' : '';
  return [`  ${at}: ${policy} → ${verdict}${because}`, ...clauses.map(clauseLine)];
}

/** `clause 2  matched  set localPref=200  → next`, `clause 3  prefixes does not hold`. */
export function clauseLine({ clause, matched, conditions, set, action }: ExplainedClause): string {
  const failed = conditions.filter(({ holds }) => !holds).map(({ condition }) => condition);
  if (!matched) return `    clause ${clause}  no match: ${failed.join(', ')}`;
  const held = conditions.map(({ condition }) => condition).join(', ') || 'everything';
  const changes = Object.entries(set ?? {})
    .map(changeText)
    .join(', ');
  return `    clause ${clause}  matched: ${held}${changes && `  set ${changes}`}  → ${action}`;
}

/** `localPref=200`, `communities add 64512:50`, `prepend asn 65001 count 2`. */
function changeText([key, value]: [string, unknown]): string {
  if (typeof value !== 'object' || value === null) return `${key}=${value}`;
  const parts = Object.entries(value).map(([part, of]) => `${part} ${flatText(of) || 'nothing'}`);
  return `${key} ${parts.join(' ')}`;
}

function decisionLine({ step, compares, says, route, best }: DecisionStep): string {
  const values = route === best ? `${route}` : `${route}, best path ${best}`;
  return `  step ${step}  ${compares} ${values}: ${says}`;
}
