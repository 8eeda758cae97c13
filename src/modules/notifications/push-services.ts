const LOOPBACK = new Set(['127.0.0.1', 'localhost']);

/**
 * Whether a push endpoint may be called: by HTTPS, at a known push service. Users name endpoints, and the server
 * must not be made to call anything else.
 * @param hosts host names; `*.example.org` stands for every name below that
 */
export function pushServiceCheck(hosts: readonly string[], allowLoopback: boolean): (endpoint: URL) => boolean {
  return ({ protocol, hostname, port, username, password }) => {
    if (protocol !== 'https:' || username !== '' || password !== '') return false;
    if (LOOPBACK.has(hostname)) return allowLoopback;
    if (port !== '') return false;
    return hosts.some((host) => (host.startsWith('*.') ? hostname.endsWith(host.slice(1)) : hostname === host));
  };
}
