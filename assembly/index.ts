// Everything the host may call, and nothing else. src/core is the only caller, through border.ts.
//
// Calls are few and fat: a TCP chunk in, a batch of changes out. Arguments are numbers; bytes cross in the input and output
// buffers; numbers that do not fit a return value are in the result record (abi.ts has every layout). A call with an unknown id
// answers false or 0 and changes nothing.

export { checkUpdate } from './host/check-update';
export {
  acknowledge,
  addFib,
  beginSnapshot,
  drain,
  endSnapshot,
  forget,
  isFibPending,
  isFibUrgent,
  observe,
  readFibCounters,
  releaseRemovals,
  removeFib,
} from './host/fibs';
export {
  initialise,
  inputBuffer,
  outputBuffer,
  readMemory,
  resultRecord,
  work,
} from './host/module';
export {
  originate,
  removeNetwork,
  setNetwork,
  setNextHop,
  setOwnSubnets,
  takeNextHopEvents,
  trackNextHops,
  withdrawOriginated,
} from './host/networks';
export {
  beginRefresh,
  closePeer,
  endRefresh,
  learn,
  openPeer,
  passRestedPrefixes,
  readPeerCounters,
  readRestlessCount,
  receive,
  removePeer,
  setImport,
  setPeer,
  setPeerLimit,
} from './host/peers';
export {
  beginPolicy,
  putIncomingPolicy,
  removePolicy,
  takePolicy,
  tryPolicy,
} from './host/policies';
export {
  lookUp,
  readCarried,
  readFib,
  readLabels,
  readLosses,
  readRoutes,
  verifyFib,
} from './host/reading';
