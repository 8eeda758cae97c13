import { expect } from 'chai';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { readConfig, settings } from '../../src/config.js';
import { yaml } from '../support/deployed.js';

interface Service {
  build?: string;
  image?: string;
  environment?: Record<string, string>;
  depends_on?: Record<string, { condition: string }>;
  volumes?: string[];
  entrypoint?: string[];
  ports?: string[];
  networks?: Record<string, { ipv4_address: string }>;
  healthcheck?: object;
}

interface Compose {
  services: Record<string, Service>;
  volumes: Record<string, null>;
}

describe('docker-compose.yml', () => {
  const { services, volumes } = yaml('docker-compose.yml') as Compose;
  const all = Object.entries(services);
  const nodes = all.filter(([, { build }]) => build === '.');

  /** As Compose does, with what is in `.env`. */
  const filledIn = (value: string, env: Record<string, string>): string =>
    value.replaceAll(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_, name: string, kind?: string, otherwise = '') => {
      const given = env[name] ?? '';
      if (given === '' && kind === '?') throw new Error(`${name} ${String(otherwise)}`);
      return given === '' ? String(otherwise) : given;
    });

  const SECRETS = {
    JWT_KEYS: `k1:${'x'.repeat(32)}`,
    MONGO_PASSWORD: 'abc',
    MONGO_ROOT_PASSWORD: 'abc',
    GRAFANA_PASSWORD: 'abc',
  };

  it('refers to nothing that is not there', () => {
    for (const [name, { volumes: mounted = [], depends_on = {}, entrypoint = [] }] of all) {
      for (const [source = '', target = ''] of mounted.map((each) => each.split(':'))) {
        const isThere = source.startsWith('./') ? existsSync(source) : source in volumes;
        expect(isThere, `${name} mounts ${source}`).to.equal(true);
        const [program] = entrypoint;
        if (source.startsWith('./') && program?.startsWith(`${target}/`) === true) {
          const { mode } = statSync(program.replace(target, source));
          expect(mode & 0o111, `${program} can be run`).not.to.equal(0);
        }
      }
      for (const [other, { condition }] of Object.entries(depends_on)) {
        expect(services, `${name} waits for ${other}`).to.have.property(other);
        // The image of the nodes says itself how it is.
        if (condition === 'service_healthy' && services[other]!.build === undefined) {
          expect(services[other], other).to.have.property('healthcheck');
        }
      }
    }
    const mounted = all.flatMap(([, service]) => service.volumes ?? []).map((each) => each.split(':')[0]!);
    expect(Object.keys(volumes).filter((volume) => !mounted.includes(volume))).to.deep.equal([]);
  });

  it('starts nodes of both roles with a configuration that is good for production', () => {
    const roles = nodes.map(([, { environment = {} }]) => {
      const names = Object.values(settings).map(({ env }) => env);
      expect(Object.keys(environment).filter((name) => !names.includes(name))).to.deep.equal([]);
      const given = Object.entries(environment).map(([name, value]) => [name, filledIn(value, SECRETS)]);
      return readConfig({ ...Object.fromEntries(given), NODE_ENV: 'production' });
    });
    expect(roles.map(({ role }) => role)).to.have.members(['api', 'api', 'worker']);
    expect(roles.map(({ trustProxy }) => trustProxy)).to.deep.equal([1, 1, 1]);
  });

  it('makes up no secret, and asks for each that is missing', () => {
    const written = all.flatMap(([, { environment = {} }]) => Object.values(environment));
    const needed = written.filter((value) => value.includes(':?'));
    expect(() => needed.map((value) => filledIn(value, SECRETS))).not.to.throw();
    const guide = readFileSync('docs/operations.md', 'utf8');
    for (const missing of Object.keys(SECRETS)) {
      expect(guide, missing).to.match(new RegExp(`^${missing}=`, 'm'));
      expect(() => needed.map((value) => filledIn(value, { ...SECRETS, [missing]: '' })), missing).to.throw(missing);
    }
  });

  it('shows only nginx to the outside', () => {
    const published = all.flatMap(([name, { ports = [] }]) => ports.map((port) => ({ name, port })));
    const outside = published.filter(({ port }) => !port.startsWith('127.0.0.1:'));
    expect(outside.map(({ name }) => name)).to.deep.equal(['nginx']);
  });

  it('gives nodes the addresses where nginx and Prometheus look for them', () => {
    const serving = nodes.filter(([, { environment = {} }]) => environment['ROLE'] === 'api');
    const addresses = serving.map(([, { networks }]) => `${networks!['default']!.ipv4_address}:3000`);
    const known = readFileSync('deploy/nginx/nodes.conf', 'utf8').matchAll(/^server (\S+)/gm);
    expect([...known].map(([, address]) => address)).to.have.members(addresses);

    interface Scraping {
      scrape_configs: { dns_sd_configs: { names: string[]; port: number }[] }[];
    }
    const { scrape_configs } = yaml('deploy/prometheus/prometheus.yml') as Scraping;
    const scraped = scrape_configs.flatMap(({ dns_sd_configs }) => dns_sd_configs.flatMap(({ names }) => names));
    expect(scraped).to.have.members(nodes.map(([name]) => name));
  });
});
