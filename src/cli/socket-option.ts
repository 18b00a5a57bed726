// `--socket PATH`: where commands find the running agent.
import { Option } from 'commander';

const DEFAULT_SOCKET = '/run/rutter/rutter.sock';

export function socketOption(): Option {
  return new Option('--socket <path>', "the agent's control socket").default(DEFAULT_SOCKET);
}
