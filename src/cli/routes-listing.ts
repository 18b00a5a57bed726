// How routes and FIB entries look in a table and in CSV.
import type { AnnouncementObject } from '../control/announcement-object.ts';
import type { EntryObject, RouteObject } from '../control/route-object.ts';
import { type Column, flatText, type Listing } from './output.ts';

/** `>` best, `=` shares the load with it, `s` stale. */
function marks({ best, multipath, stale }: RouteObject): string {
  return `${best ? '>' : multipath ? '=' : ' '}${stale ? 's' : ''}`;
}

/** What the formats that have more than a table say of a path. */
const pathFields = [
  'nextHops',
  'origin',
  'asPath',
  'med',
  'localPref',
  'communities',
  'largeCommunities',
  'extendedCommunities',
  'since',
] as const;

const routeColumns: readonly Column<RouteObject>[] = [
  { heading: '', text: marks },
  {
    heading: 'PREFIX',
    text: ({ prefix, pathId }) => (pathId === undefined ? prefix : `${prefix} #${pathId}`),
  },
  { heading: 'NEXT HOP', text: ({ nextHops }) => nextHopsText(nextHops) },
  { heading: 'PEER', text: announcer },
  { heading: 'LOCPRF', text: ({ localPref }) => flatText(localPref), align: 'right' },
  { heading: 'MED', text: ({ med }) => flatText(med), align: 'right' },
  {
    heading: 'AS PATH',
    text: ({ asPath, origin }) => `${asPathText(asPath)} ${originLetter(origin)}`.trim(),
  },
];

/** `default/tor-a`: a peer of the network the route was imported from. */
function announcer({ peer, importedFrom }: RouteObject): string {
  return importedFrom === undefined ? peer : `${importedFrom}/${peer}`;
}

const installedColumn: Column<RouteObject> = {
  heading: 'INSTALLED',
  text: ({ installed, carriedBy }) =>
    carriedBy === undefined
      ? flatText(installed)
      : `${flatText(installed)} (${flatText(carriedBy)})`,
};

const reasonColumn: Column<RouteObject> = { heading: 'REASON', text: ({ reason }) => reason };

/** Routes of a table or a lookup; `why` adds the decision's reason, `installed` what the targets say. */
export function routeListing(options: {
  readonly why?: boolean | undefined;
  readonly installed?: boolean | undefined;
}): Listing<RouteObject> {
  return {
    columns: [
      ...routeColumns,
      ...(options.installed ? [installedColumn] : []),
      ...(options.why ? [reasonColumn] : []),
    ],
    fields: [
      'network',
      'family',
      'prefix',
      'pathId',
      'best',
      'multipath',
      'stale',
      'peer',
      'importedFrom',
      ...pathFields,
      'installed',
      'carriedBy',
      'reason',
    ],
  };
}

const desiredColumns: readonly Column<EntryObject>[] = [
  { heading: 'PREFIX', text: ({ prefix }) => prefix },
  {
    heading: 'NEXT HOP',
    text: ({ nextHops, discard }) => (discard ? 'discard' : nextHopsText(nextHops)),
  },
];

/** Routes named in a line of a table; the other formats have more of them. */
const ROUTES_SHOWN = 8;

const routesColumn: Column<EntryObject> = {
  heading: 'ROUTES',
  text: ({ prefix, routeCount, moreRoutes, routes }) => {
    if (routeCount === undefined) return '';
    const count = `${moreRoutes ? '≥ ' : ''}${routeCount}`;
    // An entry of one route and no other is that route's own
    if (routes === undefined || (routes.length === 1 && routes[0] === prefix)) return count;
    const cut = routes.length > ROUTES_SHOWN ? ' …' : '';
    return `${count}: ${routes.slice(0, ROUTES_SHOWN).join(' ')}${cut}`;
  },
};

/** What would be programmed, where nothing is. */
export const desiredListing: Listing<EntryObject> = {
  columns: desiredColumns,
  fields: ['network', 'family', 'prefix', 'nextHops', 'discard'],
};

/** The same of an aggregated table. */
export const aggregatedListing: Listing<EntryObject> = {
  columns: [...desiredColumns, routesColumn],
  fields: [...desiredListing.fields, 'routeCount', 'moreRoutes', 'routes'],
};

/** Entries of a FIB or a target. */
export const entryListing: Listing<EntryObject> = {
  columns: [
    ...desiredColumns,
    { heading: 'TARGET', text: ({ target }) => target },
    { heading: 'INSTALLED', text: ({ installed }) => installed },
    {
      heading: 'PROGRAMMED',
      text: ({ programmed }) => (programmed === undefined ? '' : nextHopsText(programmed)),
    },
    routesColumn,
    { heading: 'FAILURE', text: ({ failure }) => failureText(failure) },
  ],
  fields: [
    'network',
    'family',
    'prefix',
    'target',
    'nextHops',
    'discard',
    'installed',
    'programmed',
    'failure',
    'routeCount',
    'moreRoutes',
    'routes',
  ],
};

/** The same of several networks. */
export const driftListing: Listing<EntryObject> = {
  ...entryListing,
  columns: [{ heading: 'NETWORK', text: ({ network }) => network }, ...entryListing.columns],
};

/** What peers are told of the networks' own prefixes. */
export const announcementListing: Listing<AnnouncementObject> = {
  columns: [
    { heading: 'PREFIX', text: ({ prefix }) => prefix },
    { heading: 'PEER', text: ({ peer }) => peer },
    { heading: 'NETWORK', text: ({ network }) => network },
    { heading: 'STATE', text: ({ state }) => state },
    { heading: 'NEXT HOP', text: ({ nextHops }) => nextHopsText(nextHops) },
    { heading: 'MED', text: ({ med }) => flatText(med), align: 'right' },
    { heading: 'COMMUNITIES', text: ({ communities = [] }) => communities.join(' ') },
    { heading: 'SINCE', text: ({ since = '' }) => since },
    { heading: 'SOURCE', text: ({ source }) => source },
    { heading: 'REASON', text: ({ reason = '' }) => reason },
  ],
  fields: ['network', 'family', 'prefix', 'peer', 'state', 'reason', 'source', ...pathFields],
};

/** What, since when, how often. */
function failureText(failure: EntryObject['failure']): string {
  if (failure === undefined) return '';
  const { code, message, since, attempts } = failure;
  return `${code}: ${message} (since ${since}, tried ${attempts === 1 ? 'once' : `${attempts} times`})`;
}

function nextHopsText(nextHops: EntryObject['nextHops']): string {
  return nextHops
    .map(({ address, weight }) => (weight === 1 ? address : `${address}×${weight}`))
    .join(' ');
}

/** The form of every looking glass: `64500 64501 {64502,64503}`, confederation parts in parentheses (RFC 5065). */
export function asPathText(asPath: RouteObject['asPath'] = []): string {
  return asPath
    .map((hop) => {
      if (typeof hop === 'number') return hop;
      if ('set' in hop) return `{${hop.set.join(',')}}`;
      if ('confedSequence' in hop) return `(${hop.confedSequence.join(' ')})`;
      return `[${hop.confedSet.join(',')}]`;
    })
    .join(' ');
}

function originLetter(origin: string | undefined): string {
  if (origin === undefined) return '';
  return origin === 'incomplete' ? '?' : origin.charAt(0);
}
