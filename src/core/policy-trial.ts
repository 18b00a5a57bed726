// The answer of tryPolicy (assembly/abi.ts) as an object. Reads a view of linear memory; makes none that stays.
import { TRY_ROUTE_SIZE, TRY_STEP_SIZE } from '../../assembly/abi.ts';
import type { IpAddress } from '../net/ip-address.ts';
import type { Output } from './border.ts';
import { copyBytes } from './stored-key.ts';

export interface PolicyTrial {
  readonly accepted: boolean;
  /** What an accepted route is after the policy; undefined when it is rejected. */
  readonly route:
    | {
        readonly attributes: Uint8Array;
        readonly nextHop: IpAddress | undefined;
        readonly weight: number;
      }
    | undefined;
  /** The clauses tried, in order. The built-in policies have none. */
  readonly steps: readonly PolicyTrialStep[];
}

export interface PolicyTrialStep {
  readonly clause: number;
  /** Whether each condition holds, in the order of CompiledPolicy.conditions (src/policy/compile.ts). */
  readonly holds: readonly boolean[];
}

export function readTrial({ view, start, count }: Output, accepted: boolean): PolicyTrial {
  const steps: PolicyTrialStep[] = [];
  let offset = start;
  for (let i = 0; i < count; i++) {
    const conditionCount = view.getUint16(offset + 2, true);
    const holds = Array.from(
      { length: conditionCount },
      (_, index) => view.getUint8(offset + TRY_STEP_SIZE + index) !== 0,
    );
    steps.push({ clause: view.getUint16(offset, true), holds });
    offset += TRY_STEP_SIZE + ((conditionCount + 3) & ~3);
  }
  return { accepted, route: accepted ? readRoute(view, offset) : undefined, steps };
}

function readRoute(view: DataView, offset: number): PolicyTrial['route'] {
  const nextHopSize = view.getUint32(offset + 4, true);
  return {
    weight: view.getUint32(offset, true),
    nextHop: nextHopSize === 0 ? undefined : copyBytes(view, offset + 12, nextHopSize),
    attributes: copyBytes(view, offset + TRY_ROUTE_SIZE, view.getUint32(offset + 8, true)),
  };
}
