import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { Campus } from '../support/campus.js';
import { alertRules, type Dashboard, dashboards, yaml } from '../support/deployed.js';
import { Promtool } from '../support/promtool.js';

/** Prometheus' own, and the words of its language. */
const NOT_OURS = /^(up|ALERTS)$/;

/** The names of metrics in an expression: what is neither a label, nor in a string, nor called. */
function metricsIn(expression: string): string[] {
  const bare = expression
    .replaceAll(/"[^"]*"/g, '')
    .replaceAll(/\{[^}]*\}|\[[^\]]*\]/g, ' ')
    .replaceAll(/\b(by|without|on|ignoring)\s*\([^)]*\)/g, ' ');
  const words = bare.match(/\b[a-zA-Z_]\w*\b(?!\s*\()/g) ?? [];
  return words.filter((word) => /_|^up$/.test(word) && !NOT_OURS.test(word));
}

const expressionsOf = ({ panels }: Dashboard): string[] =>
  panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));

describe('Monitoring', function () {
  // Prometheus' tool may have to be fetched.
  this.timeout(120_000);

  const rules = alertRules();
  const boards = dashboards();

  it('asks for nothing that a node does not measure', async () => {
    const campus = await Campus.open();
    try {
      const { url } = await campus.startNode();
      const measured = await (await fetch(`${url}/metrics`)).text();
      const names = new Set(
        [...measured.matchAll(/^# TYPE (\w+) (\w+)/gm)].flatMap(([, name = '', type]) =>
          type === 'histogram' ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name],
        ),
      );
      const asked = [...rules.map(({ expr }) => expr), ...boards.flatMap(expressionsOf)].map(metricsIn);
      expect(asked.flat()).to.include('atrium_http_request_seconds_bucket');
      expect([...new Set(asked.flat())].filter((name) => !names.has(name))).to.deep.equal([]);
      expect(rules.filter(({ expr }) => metricsIn(expr).length === 0).map(({ alert }) => alert)).to.have.members([
        'NodeDown',
        'NoNodes',
      ]);
    } finally {
      await campus.close();
    }
  });

  it('shows on a dashboard whatever it alerts to', () => {
    const shown = boards.flatMap(expressionsOf).join(' ');
    const alerted = rules.flatMap(({ expr }) => metricsIn(expr)).filter((name) => name.startsWith('atrium_'));
    expect(alerted.filter((name) => !shown.includes(name.replace(/_(bucket|count)$/, '')))).to.deep.equal([]);
  });

  it('says for every alert what to do, and for no other', () => {
    const [, chapter = ''] = readFileSync('docs/operations.md', 'utf8').split(/^## Alerts$/m);
    const headings = [...chapter.matchAll(/^### (\w+)$/gm)].map(([, name]) => name);
    expect(headings).to.deep.equal(rules.map(({ alert }) => alert));
  });

  it('has dashboards that Grafana can lay out, from the source that it is given', () => {
    const { datasources } = yaml('deploy/grafana/provisioning/datasources/prometheus.yml') as {
      datasources: { uid: string }[];
    };
    const [source] = datasources;
    for (const { title, panels } of boards) {
      expect(new Set(panels.map(({ id }) => id)).size, title).to.equal(panels.length);
      const taken = new Set<string>();
      for (const { title: name, datasource, targets, gridPos } of panels) {
        expect([datasource, ...targets.map((target) => target.datasource)].map(({ uid }) => uid)).to.satisfy(
          (uids: string[]) => uids.every((uid) => uid === source!.uid),
        );
        for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
          for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
            expect(taken.has(`${x} ${y}`), `${name} lies on another panel`).to.equal(false);
            taken.add(`${x} ${y}`);
          }
        }
        expect(gridPos.x + gridPos.w, name).to.be.at.most(24);
      }
    }
    expect(new Set(boards.map(({ uid }) => uid)).size).to.equal(2);
  });

  it('is understood by Prometheus, and each alert fires where it should and only there', async () => {
    const promtool = await Promtool.provide();
    try {
      await promtool.run('check', 'config', 'deploy/prometheus/prometheus.yml');

      // Expressions of dashboards are tried as rules; Grafana fills in the ranges.
      const shown = boards
        .flatMap(expressionsOf)
        .map((expr) => expr.replaceAll('$__rate_interval', '1m').replaceAll('$__range', '3h'));
      const asRules = shown.map((expr, at) => ({ record: `shown_${at}`, expr }));
      const file = join(promtool.folder, 'dashboards.yml');
      await writeFile(file, stringify({ groups: [{ name: 'dashboards', rules: asRules }] }));
      await promtool.run('check', 'rules', file);

      // A node that is down is one, and so is a role without any.
      const firing = rules.map(({ alert }) => ({ labels: `{alertname="${alert}"}`, value: 1 }));
      const scenes = readFileSync('test/operations/alerts.yml', 'utf8')
        .replace('RULES', resolve('deploy/prometheus/alerts.yml'))
        .replace('FIRING', JSON.stringify(firing));
      const tests = join(promtool.folder, 'alerts.yml');
      await writeFile(tests, scenes);
      await promtool.run('test', 'rules', tests);
    } finally {
      await promtool.remove();
    }
  });
});
