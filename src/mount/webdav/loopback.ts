/**
 * Addresses that only this machine reaches.
 *
 * Behind such an address, a page from elsewhere could still read everything through the visitor's own browser, if its
 * name were made to mean 127.0.0.1 ("DNS rebinding"); but the browser says by which name it asks.
 */

/** An address as the system gives it, or the host of a URL. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').replace(/^::ffff:/i, '');
  return bare === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(bare);
}

/** Whether a request's `Host` names this machine by nothing that others may define. */
export function isLoopbackHost(host: string | undefined): boolean {
  const name = /^(\[[\dA-Fa-f:.]+\]|[^:[\]]+)(?::\d+)?$/.exec(host?.trim() ?? '')?.[1];
  return name !== undefined && (name.toLowerCase() === 'localhost' || isLoopback(name));
}
