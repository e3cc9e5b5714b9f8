/** Addresses of machines, as text. */
import { isIP } from 'node:net';

/** 4 or 6; undefined where it is no address. */
export function ipVersionOf(text: string): 4 | 6 | undefined {
  const version = isIP(text);
  return version === 4 || version === 6 ? version : undefined;
}

/** Whether only this machine reaches it. An address of IPv6 may stand in brackets. */
export function isLoopback(address: string): boolean {
  const bare = address.replace(/^\[(.*)\]$/, '$1').replace(/^::ffff:/i, '');
  return bare === '::1' || (ipVersionOf(bare) === 4 && bare.startsWith('127.'));
}
