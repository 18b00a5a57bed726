// The way up: works out the savings of a node from what it holds, and of those below it that something else covers now.
import { Node, TAG_FRINGE, TAG_NODE } from '../../lpm/node';
import { tagOf, untagged } from '../../lpm/trie';
import { Aggregate } from './aggregate';
import { routeOf } from './aggregate-route';
import { Expansion, expansionAt, forgetExpansionOf } from './expansion';
import { NodeState, stateOfNode } from './node-state';
import { edgeOf, leafOf, NOTHING } from './savings';

/** Works a node's savings out anew; its rows must be looked at then. */
export function workOut(aggregate: Aggregate, state: NodeState): void {
  aggregate.upList.remove(state);
  forgetExpansionOf(state);
  state.setSavings(expand(aggregate, state).at(1));
  aggregate.downList.add(state);
}

/** The node's expansion; children that something else covers now are worked out on the way. */
export function expand(aggregate: Aggregate, state: NodeState): Expansion {
  const expansion = expansionAt(state.depth);
  if (expansion.owner == <u32>changetype<usize>(state)) return expansion;
  expansion.owner = <u32>changetype<usize>(state);
  const node = state.node;
  expansion.fillLeaves(0, 256, state.effective);
  if (node.prefixes.count) expansion.fillFromPrefixes(node, aggregate.costModel);
  else expansion.barrierCount = 0;
  fillFromChildren(aggregate, state, expansion);
  expansion.fold(aggregate.costModel);
  return expansion;
}

function fillFromChildren(aggregate: Aggregate, state: NodeState, expansion: Expansion): void {
  const costModel = aggregate.costModel;
  const slotBits = (state.depth << 3) + 8;
  const children = state.node.children;
  let rank: u32 = 0;
  for (let word: u32 = 0; word < 4; word++) {
    for (let bits = children.wordAt(word); bits; bits &= bits - 1) {
      const octet = (word << 6) | <u32>ctz(bits);
      const child = children.member(rank++);
      const above = expansion.at(256 + octet);
      let savings: u32 = 0;
      if (tagOf(child) == TAG_NODE) {
        const below = stateOfNode(changetype<Node>(<usize>child));
        if (below.effective != above) {
          below.setEffective(above);
          workOut(aggregate, below);
        }
        savings = below.savings;
      } else {
        const route = routeOf(untagged(child));
        if (tagOf(child) == TAG_FRINGE) {
          savings = route.isBarrier ? NOTHING : leafOf(route.label, costModel);
        } else {
          const label = route.isBarrier ? 0 : route.label;
          savings = edgeOf(above, route.bits - slotBits, label, costModel);
          expansion.setAbove(octet, above);
        }
      }
      expansion.set(256 + octet, savings);
    }
  }
}
