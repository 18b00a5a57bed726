// The log: one JSON line per event on stderr (pino). An event name plus fields; see README for the levels' meaning.
import { type Logger, pino } from 'pino';

export type { Logger } from 'pino';
export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

/** `error`: someone must act; `warn`: we retried; `info`: a state an operator would tell; `debug`: everything else. */
export function createLog(level: LogLevel): Logger {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, messageKey: 'event' },
    pino.destination({ fd: 2, sync: true }),
  );
}
