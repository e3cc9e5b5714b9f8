/** Where a server listens. */
import { ipVersionOf } from '../../platform/ip-address.ts';
import { InvalidValue, type ParseValue } from './option.ts';

export interface ListenAddress {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

const LOOPBACK = '127.0.0.1';
const MAX_PORT = 65535;

/** `ADDRESS:PORT`, `[IPV6]:PORT` or `PORT` alone, which is one of this machine's loopback address. */
export const parseListenAddress: ParseValue = (text): ListenAddress => {
  const [, bracketed, plain, digits] = /^(?:(?:\[([^\]]*)\]|([^:[\]]*)):)?(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits ?? Infinity);
  const host = bracketed ?? (plain === 'localhost' ? LOOPBACK : (plain ?? LOOPBACK));
  const family = bracketed === undefined ? 4 : 6;
  if (port > MAX_PORT || ipVersionOf(host) !== family) {
    throw new InvalidValue(
      `"${text}": an address and a port are needed, e.g. 127.0.0.1:8080, [::1]:8080 or 0.0.0.0:8080`,
    );
  }
  return { host, port };
};
