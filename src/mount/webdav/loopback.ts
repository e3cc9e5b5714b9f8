/**
 * By which names a server that only this machine reaches may be called.
 *
 * A page from elsewhere could read everything through the visitor's own browser, if its name were made to mean 127.0.0.1
 * ("DNS rebinding"); but the browser says by which name it asks.
 */
import { isLoopback } from '../../platform/ip-address.ts';

/** Whether a request's `Host` names this machine by nothing that others may define. */
export function isLoopbackHost(host: string | undefined): boolean {
  const name = /^(\[[\dA-Fa-f:.]+\]|[^:[\]]+)(?::\d+)?$/.exec(host?.trim() ?? '')?.[1];
  return name !== undefined && (name.toLowerCase() === 'localhost' || isLoopback(name));
}
