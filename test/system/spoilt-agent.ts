// The program with a core that can be spoilt: `rutter …`, and on SIGUSR2 an entry of the first FIB wants what another does, as SPOIL says:
// `PREFIX OTHER`.
import { registerHooks } from 'node:module';

const spoilable = new URL('../assembly/faulty-core.ts', import.meta.url).href;

registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    return found.url.endsWith('/src/core/core-module.ts') ? { ...found, url: spoilable } : found;
  },
});

const { disturb } = await import('../assembly/faulty-core.ts');
process.on('SIGUSR2', () => {
  const [prefix = '', other] = process.env['SPOIL']?.split(' ') ?? [];
  disturb(0, prefix, other);
});
await import('../../src/main.ts');
