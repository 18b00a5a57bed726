// The answer of tryPolicy (assembly/abi.ts) as an object. Reads a view of linear memory; makes none and keeps none.
import { TRY_ROUTE_SIZE, TRY_STEP_SIZE } from '../../assembly/abi.ts';
import type { PolicyTrial, PolicyTrialStep } from './route-core.ts';

export function readTrial(
  view: DataView,
  start: number,
  { count, accepted }: { readonly count: number; readonly accepted: boolean },
): PolicyTrial {
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
  const copy = (from: number, size: number) =>
    new Uint8Array(view.buffer, view.byteOffset + from, size).slice();
  return {
    weight: view.getUint32(offset, true),
    nextHop: nextHopSize === 0 ? undefined : copy(offset + 12, nextHopSize),
    attributes: copy(offset + TRY_ROUTE_SIZE, view.getUint32(offset + 8, true)),
  };
}
