// The parser of assembly/wire on its own, for tests: one input buffer, the context's fields, the view and the cursor by offset.
import {
  nextRoute,
  openRoutes,
  routeKeyPtr,
  routePayloadPtr,
  routes,
} from '../../../assembly/wire/nlri';
import { ParseContext } from '../../../assembly/wire/parse-context';
import { parseUpdate } from '../../../assembly/wire/update';
import { update } from '../../../assembly/wire/update-view';

const input = memory.data(65536, 16);
const context = changetype<ParseContext>(memory.data(offsetof<ParseContext>(), 8));

export function inputPtr(): usize {
  return input;
}

export function contextPtr(): usize {
  return changetype<usize>(context);
}

export function viewPtr(): usize {
  return changetype<usize>(update);
}

export function cursorPtr(): usize {
  return changetype<usize>(routes);
}

export function keyPtr(): usize {
  return routeKeyPtr;
}

export function payloadPtr(): usize {
  return routePayloadPtr;
}

export function parse(size: u32): void {
  parseUpdate(input, size, context);
}

export function open(family: u32, ptr: usize, end: usize, hasPathId: u32): void {
  openRoutes(family, ptr, end, hasPathId);
}

export function next(): bool {
  return nextRoute();
}
